# The lake and one stream, whose rows land and whose windows are told of.
name    = "headgate-try"
sources = ["kinesis"]

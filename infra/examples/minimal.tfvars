# The lake and one stream, whose rows land and whose windows are told of.
name    = "headgate-try"
region  = "ap-northeast-2"
sources = ["kinesis"]

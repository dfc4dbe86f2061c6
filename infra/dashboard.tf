# What is on -> one dashboard. Functions, and our own metrics that have an alarm, come by themselves with their instances; a
# source that has metrics of AWS adds a section of the same shape.
module "monitoring" {
  source = "./modules/monitoring"

  name     = var.name
  region   = var.region
  sections = [for section in local.drawn : section if length(section.widgets) > 0]
}

locals {
  sections = [
    { title = "Tables", widgets = concat(local.alarmed_widgets, local.work_widgets) },
    {
      title = "Functions"
      widgets = [
        { title = "Invocations", namespace = "AWS/Lambda", metrics = ["Invocations"], stat = "Sum", of = local.by.functions },
        { title = "Errors", namespace = "AWS/Lambda", metrics = ["Errors"], stat = "Sum", of = local.by.functions },
        { title = "Throttles", namespace = "AWS/Lambda", metrics = ["Throttles"], stat = "Sum", of = local.by.functions },
        { title = "Duration (ms)", namespace = "AWS/Lambda", metrics = ["Duration"], stat = "Maximum", of = local.by.functions },
        { title = "Age of what they read (ms)", namespace = "AWS/Lambda", metrics = ["IteratorAge"], stat = "Maximum", of = local.by.readers, limit = 1000 * var.alarms.iterator_age_seconds },
        { title = "Running at once", namespace = "AWS/Lambda", metrics = ["ConcurrentExecutions"], stat = "Maximum", of = local.by.functions },
        { title = "Given up, and failed to store", namespace = "AWS/Lambda", metrics = ["AsyncEventsDropped", "DestinationDeliveryFailures"], stat = "Sum", of = local.by.functions },
        { title = "Dead letters", namespace = "AWS/SQS", metrics = ["ApproximateNumberOfMessagesVisible"], stat = "Maximum", of = local.by.dead },
        { title = "Age of what waits in queues (s)", namespace = "AWS/SQS", metrics = ["ApproximateAgeOfOldestMessage"], stat = "Maximum", of = local.by.queues },
      ]
    },
    {
      title = "Streams"
      widgets = [
        { title = "Records", namespace = "AWS/Kinesis", metrics = ["IncomingRecords"], stat = "Sum", of = local.by.streams },
        { title = "Age of what is read (ms)", namespace = "AWS/Kinesis", metrics = ["GetRecords.IteratorAgeMilliseconds"], stat = "Maximum", of = local.by.streams, limit = 1000 * var.alarms.iterator_age_seconds },
        { title = "Age of what is read with fan-out (ms)", namespace = "AWS/Kinesis", metrics = ["SubscribeToShardEvent.MillisBehindLatest"], stat = "Maximum", of = local.by.consumers, limit = 1000 * var.alarms.iterator_age_seconds },
        { title = "Throttled", namespace = "AWS/Kinesis", metrics = ["WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded"], stat = "Sum", of = local.by.streams },
      ]
    },
    {
      title = "Firehose"
      widgets = [
        { title = "Age of what is not delivered (s)", namespace = "AWS/Firehose", metrics = ["DeliveryToS3.DataFreshness"], stat = "Maximum", of = local.by.firehose, limit = var.alarms.freshness_seconds },
        { title = "Share that is delivered and processed", namespace = "AWS/Firehose", metrics = ["DeliveryToS3.Success", "ExecuteProcessing.Success"], stat = "Average", of = local.by.firehose },
        # No metric counts what the transform refused: it is what came less what succeeded.
        { title = "Records that came, and were processed", namespace = "AWS/Firehose", metrics = ["IncomingRecords", "SucceedProcessing.Records"], stat = "Sum", of = local.by.firehose },
        { title = "Not converted, throttled", namespace = "AWS/Firehose", metrics = ["FailedConversion.Records", "ThrottledRecords"], stat = "Sum", of = local.by.firehose },
        { title = "Time of processing (ms)", namespace = "AWS/Firehose", metrics = ["ExecuteProcessing.Duration"], stat = "Maximum", of = local.by.firehose },
        { title = "Partitions", namespace = "AWS/Firehose", metrics = ["PartitionCount"], stat = "Maximum", of = local.by.firehose },
      ]
    },
    {
      title = "Devices"
      widgets = [
        { title = "Messages that rules matched", namespace = "AWS/IoT", metrics = ["TopicMatch"], stat = "Sum", of = local.by.rules },
        { title = "Messages that were throttled, or cannot be read", namespace = "AWS/IoT", metrics = ["RuleMessageThrottled", "ParseError"], stat = "Sum", of = local.by.rules },
      ]
    },
    {
      title = "Kafka"
      widgets = [
        { title = "Disk used (%)", namespace = "AWS/Kafka", metrics = ["KafkaDataLogsDiskUsed"], stat = "Maximum", of = local.by.brokers, limit = 80 },
        { title = "Partitions with too few replicas", namespace = "AWS/Kafka", metrics = ["UnderReplicatedPartitions"], stat = "Maximum", of = local.by.brokers },
        { title = "Records that wait", namespace = "AWS/Kafka", metrics = ["MaxOffsetLag"], stat = "Maximum", of = local.by.groups, limit = var.alarms.offset_lag },
        { title = "Age of what waits (s)", namespace = "AWS/Kafka", metrics = ["EstimatedMaxTimeLag"], stat = "Maximum", of = local.by.groups, limit = var.alarms.iterator_age_seconds },
        { title = "Tasks of connectors", namespace = "AWS/KafkaConnect", metrics = ["RunningTaskCount", "ErroredTaskCount"], stat = "Maximum", of = local.by.connectors },
      ]
    },
    {
      title = "Databases"
      widgets = [
        { title = "Latency (s)", namespace = "AWS/DMS", metrics = ["CDCLatencySource", "CDCLatencyTarget"], stat = "Maximum", of = local.by.databases, limit = var.alarms.database_lag_seconds },
        { title = "Changes that wait", namespace = "AWS/DMS", metrics = ["CDCIncomingChanges"], stat = "Maximum", of = local.by.databases },
        { title = "Rows a second", namespace = "AWS/DMS", metrics = ["CDCThroughputRowsSource", "CDCThroughputRowsTarget"], stat = "Average", of = local.by.databases },
      ]
    },
    {
      title = "API"
      widgets = [
        { title = "Requests", namespace = "AWS/ApiGateway", metrics = ["Count", "4xx", "5xx"], stat = "Sum", of = local.by.api },
        { title = "Latency (ms)", namespace = "AWS/ApiGateway", metrics = ["Latency"], stat = "p99", of = local.by.api },
        { title = "Records taken, and not", namespace = "Headgate", metrics = ["RecordsAccepted", "RecordsNotAccepted"], stat = "Sum", of = local.by.posted },
      ]
    },
  ]

  # Without what is off.
  drawn = [for section in local.sections : { title = section.title, widgets = [for widget in section.widgets : widget if length(widget.of) > 0] }]

  # Label -> dimensions.
  by = {
    api        = { for api in module.api : "api" => api.dimensions }
    brokers    = merge([for name, cluster in module.msk : { for id, dimensions in cluster.dimensions.brokers : "${name} ${id}" => dimensions }]...)
    connectors = { for name, connector in module.connector : name => { ConnectorName = connector.name } }
    groups     = merge([for name, cluster in module.msk : cluster.dimensions.groups]...)
    consumers  = merge([for stream, made in module.stream : { for dataset, consumer in made.consumers : "${stream} ${dataset}" => { StreamName = "${var.name}-${stream}", ConsumerName = consumer } }]...)
    databases  = { for name, database in module.database : name => database.dimensions if database.dimensions != null }
    dead       = { for name, instance in local.instances : name => { QueueName = "${var.name}-${name}-dead" } if instance.trigger.kind == "queue" || try(instance.trigger.schedule, null) != null }
    firehose   = { for name, delivery in module.firehose : name => { DeliveryStreamName = delivery.name } }
    functions  = { for name in keys(local.instances) : name => { FunctionName = "${var.name}-${name}" } }
    posted     = merge([for stream, names in local.posted : { for name in names : name => { Dataset = name, Function = "${var.name}-api-ingest-${stream}" } }]...)
    queues     = { for name, instance in local.instances : name => { QueueName = "${var.name}-${name}" } if instance.trigger.kind == "queue" }
    readers    = { for name, instance in local.instances : name => { FunctionName = "${var.name}-${name}" } if instance.trigger.kind == "kinesis" }
    rules      = { for key, name in local.rule_names : key => { RuleName = name } if local.iot_on == 1 }
    streams    = { for name in keys(local.streams) : name => { StreamName = "${var.name}-${name}" } }
    tables     = { for name, instance in local.instances : name => merge({ Function = "${var.name}-${name}" }, instance.dataset == null ? {} : { Dataset = instance.dataset }) }
  }
}

# Our own metrics.
locals {
  # What has an alarm: a widget for each, of every function that tells it.
  alarmed = distinct(flatten([for instance in local.instances : [for alarm in values(local.metrics[instance.package]) : { metric = alarm.metric, per = try(alarm.per, null), stat = alarm.statistic, while = try(alarm.while, null) }]]))
  alarmed_widgets = [for alarm in local.alarmed : {
    title     = alarm.per != null ? "${alarm.metric} in % of ${alarm.per}" : alarm.while != null ? "${alarm.metric} (an alarm while ${alarm.while} > 0)" : alarm.metric
    namespace = "Headgate"
    metrics   = [alarm.metric]
    per       = alarm.per
    stat      = alarm.stat
    limit     = min(flatten([for metrics in values(local.metrics) : [for other in values(metrics) : other.limit if other.metric == alarm.metric]])...)
    of        = { for name, instance in local.instances : name => local.by.tables[name] if contains([for other in values(local.metrics[instance.package]) : other.metric], alarm.metric) }
  }]

  # What is told without one.
  work = [
    { title = "Freshness (s) of windows and Firehose", metrics = ["Freshness"], stat = "Maximum", packages = ["firehose-transform", "kinesis-window"] },
    { title = "Rows stored", metrics = ["RowsStored"], stat = "Sum", packages = ["kinesis-consumer", "msk-consumer"] },
    { title = "Rows of windows", metrics = ["RowsWritten"], stat = "Sum", packages = ["kinesis-window"] },
    { title = "Records through the transform", metrics = ["RecordsOk", "RecordsDropped"], stat = "Sum", packages = ["firehose-transform"] },
    { title = "Changes merged", metrics = ["RowsIn"], stat = "Sum", packages = ["dms-merge"] },
    { title = "Runs of flows", metrics = ["RunsLanded", "RunsFound"], stat = "Sum", packages = ["appflow-process"] },
    { title = "Time of a merge (s)", metrics = ["MergeTime"], stat = "Maximum", packages = ["appflow-process", "dms-merge"] },
    { title = "Messages of devices", metrics = ["MessagesJudged", "MessagesForwarded"], stat = "Sum", packages = ["iot-rule"] },
    { title = "Alerts", metrics = ["AlertsOpened", "AlertsResolved"], stat = "Sum", packages = ["iot-rule"] },
    { title = "Files compacted", metrics = ["FilesReplaced", "FilesWritten"], stat = "Sum", packages = ["lake-compact"] },
    { title = "Files that compaction leaves, swaps it finds", metrics = ["FilesWaiting", "FilesForeign", "SwapsFinished"], stat = "Maximum", packages = ["lake-compact"] },
  ]
  work_widgets = [for work in local.work : {
    title     = work.title
    namespace = "Headgate"
    metrics   = work.metrics
    stat      = work.stat
    of        = { for name, instance in local.instances : name => local.by.tables[name] if contains(work.packages, instance.package) }
  }]
}

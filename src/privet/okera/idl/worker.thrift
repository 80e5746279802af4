// Running a task: RecordServiceWorker.
// The field numbers and types are those that the published client pyokera 2.9.0 speaks.

include "schema.thrift"

struct TExecTaskParams {
  1: required binary task
  2: optional schema.TLoggingLevel logging_level
  3: optional i32 fetch_size
  4: optional schema.TRecordFormat record_format
  5: optional i64 mem_limit
  6: optional i64 offset
  7: optional i64 limit
  8: optional set<schema.TCompressionCodec> supported_compression_codecs
  9: optional string client_request_id
  10: optional i64 default_pool_mem_limit
  100: optional schema.TRequestContext ctx
}

struct TExecTaskResult {
  1: required schema.TUniqueId handle
  2: required schema.TSchema schema
}

struct TFetchParams {
  1: required schema.TUniqueId handle
}

struct TColumnData {
  1: required binary is_null
  2: required binary data
  3: optional i32 is_null_decompressed_len
  4: optional i32 data_decompressed_len
  5: optional i32 num_nulls
}

struct TColumnarRecords {
  1: required list<TColumnData> cols
}

struct TFetchResult {
  1: required bool done
  2: required double task_progress
  3: required i32 num_records
  4: required schema.TRecordFormat record_format
  5: optional TColumnarRecords columnar_records
  6: optional schema.TCompressionCodec compression_codec
  7: optional binary presto_json_result
}

struct TStats {
  1: required double task_progress
  2: required i64 num_records_read
  3: required i64 num_records_returned
  4: required i64 num_records_skipped
  5: required i64 serialize_time_ms
  6: required i64 client_time_ms
  7: optional i64 decompress_time_ms
  8: optional i64 bytes_read
  9: optional i64 bytes_read_local
  10: optional double hdfs_throughput
}

struct TTaskStatus {
  1: required TStats stats
  2: required list<schema.TLogMessage> data_errors
  3: required list<schema.TLogMessage> warnings
}

service RecordServiceWorker {
  string GetProtocolVersion() throws (1: schema.TRecordServiceException ex)
  schema.TServerVersion GetServerVersion() throws (1: schema.TRecordServiceException ex)
  schema.TInitApplicationResult InitApplication(1: schema.TInitApplicationParams params) throws (1: schema.TRecordServiceException ex)
  void SetApplication(1: string app) throws (1: schema.TRecordServiceException ex)
  TExecTaskResult ExecTask(1: TExecTaskParams params) throws (1: schema.TRecordServiceException ex)
  TFetchResult Fetch(1: TFetchParams params) throws (1: schema.TRecordServiceException ex)
  void CloseTask(1: schema.TUniqueId handle)
  TTaskStatus GetTaskStatus(1: schema.TUniqueId handle) throws (1: schema.TRecordServiceException ex)
  schema.TMetricResponse GetMetric(1: string key)
}

// Planning and authorizing of statements, and delegation tokens.
// The field numbers and types are those that the published client pyokera 2.9.0 speaks.

include "schema.thrift"
include "objects.thrift"

enum TRequestType {
  Sql = 0
  Path = 1
}

struct TRequestOptions {
  1: optional bool abort_on_corrupt_record
}

struct TPathRequest {
  1: required string path
  2: optional string query
  3: optional schema.TSchema schema
  4: optional byte field_delimiter
}

enum TSamplingType {
  DATA_SET_SIZE = 0
  LIMIT_NUM_RECORDS = 1
}

struct TSamplingParams {
  1: required TSamplingType type
  2: required i64 value
}

struct TPlanRequestParams {
  1: required string client_version
  2: required TRequestType request_type
  3: optional TRequestOptions options
  4: optional string sql_stmt
  5: optional TPathRequest path
  6: optional string user
  7: optional i32 max_tasks
  8: optional string requesting_user
  9: optional bool single_task_per_worker
  10: optional bool preserve_partitions
  11: optional i32 partition_split_threshold
  12: optional string cluster_id
  13: optional bool enable_bucketed_joins
  14: optional TSamplingParams sampling_params
  15: optional string client_request_id
  16: optional bool allow_external_restricted_tasks
  17: optional i32 min_task_size
  18: optional bool defer_task_url_signing
  100: optional schema.TRequestContext ctx
}

struct TTask {
  1: required list<schema.TNetworkAddress> local_hosts
  2: required binary task
  3: required schema.TUniqueId task_id
  4: required bool results_ordered
  5: required i64 task_size
  6: optional string partition_path
  7: optional bool allow_external_task_execution
  8: optional i64 expire_unix_sec
}

struct TPlanRequestResult {
  1: required list<TTask> tasks
  2: required schema.TSchema schema
  3: required schema.TUniqueId request_id
  4: required list<schema.TNetworkAddress> hosts
  5: required list<schema.TLogMessage> warnings
  6: optional set<schema.TRecordFormat> supported_result_formats
}

struct TGetSchemaResult {
  1: required schema.TSchema schema
  2: required list<schema.TLogMessage> warnings
}

enum TAuthorizeQueryClient {
  OKERA = 0
  APACHE_SPARK = 1
  DATABRICKS_SPARK = 2
  HIVE = 3
  IMPALA = 4
  PRESTO = 5
  OKERA_CACHE_KEY = 6
  REST_API = 7
  POSTGRES = 8
  ATHENA = 9
  BIG_QUERY = 10
  SNOWFLAKE = 11
  TEST_ACK = 12
  DAX = 13
  MYSQL = 14
  REDSHIFT = 15
  DREMIO = 16
  SNOWFLAKE_POLICY_SYNC = 17
}

struct TAuthorizeQueryParams {
  1: optional string sql
  2: optional list<string> db
  3: optional string dataset
  4: optional string requesting_user
  5: optional bool use_session_local_tables
  6: optional TAuthorizeQueryClient client
  7: optional bool audit_only
  8: optional objects.TAccessPermissionLevel privilege_level
  9: optional list<string> records
  10: optional bool cte_rewrite
  11: optional set<string> referenced_tables
  12: optional string connection_db
  13: optional bool plan_request
  14: optional string client_request_id
  15: optional bool return_records
  16: optional string request_filter
  17: optional bool ignore_unknown_tables
  18: optional string default_db
  19: optional bool is_create_tmp_view
  20: optional string connection_proxy_host
  21: optional list<string> default_namespace
  22: optional bool validate_rewrite
  100: optional schema.TRequestContext ctx
}

struct TRefreshCredentialsParams {
  1: required binary task
  2: optional i64 duration_sec
  100: optional schema.TRequestContext ctx
}

struct TRefreshCredentialsResult {
  1: required binary task
  2: required i64 expire_time_unix_sec
}

struct TDelegationToken {
  1: required string identifier
  2: required string password
  3: required binary token
}

struct TAuthorizeQueryColumn {
  1: required string name
  2: required string type
}

enum TCompoundOp {
  AND = 0
  OR = 1
}

struct TAuthorizeQueryFilters {
  1: required list<string> filters
  2: required TCompoundOp op
  3: optional list<TAuthorizeQueryColumn> columns
}

struct TAuthorizeQueryJdbcRefTable {
  1: optional string orig_tbl_name_in_query
  2: optional string jdbc_fq_tbl_name
  3: optional string jdbc_tbl_type
}

struct TColumnAccess {
  1: optional bool accessible
  2: optional TAuthorizeQueryColumn column
  3: optional string transform
}

struct TAuthorizeQueryResult {
  1: optional string result_sql
  2: optional bool full_access
  3: optional schema.TSchema result_schema
  4: optional bool requires_worker
  5: optional objects.TTable table
  6: optional string filter
  7: optional list<bool> filtered_records
  8: optional map<string, set<string>> filtered_values
  9: optional TPlanRequestResult plan
  10: optional i32 jdbc_connection_id
  11: optional set<string> referenced_tables
  12: optional list<string> result_records
  13: optional TAuthorizeQueryFilters filters
  14: optional map<string, TColumnAccess> column_access
  15: optional map<string, TAuthorizeQueryJdbcRefTable> jdbc_referenced_tables
}

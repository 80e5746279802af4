// What every message uses: errors, schemas, attributes (tags), names of hosts.
// The field numbers and types are those that the published client pyokera 2.9.0 speaks.

enum TErrorCode {
  INVALID_REQUEST = 0
  INVALID_HANDLE = 1
  INVALID_TASK = 2
  SERVICE_BUSY = 3
  OUT_OF_MEMORY = 4
  CANCELLED = 5
  INTERNAL_ERROR = 6
  CONNECTION_TIMED_OUT = 7
  AUTHENTICATION_ERROR = 8
  UNSUPPORTED_REQUEST = 9
}

exception TRecordServiceException {
  1: required TErrorCode code
  2: required string message
  3: optional string detail
}

struct TRequestContext {
  1: optional string request_name
  2: optional string client_request_id
  3: optional string auth_token
  4: optional string request_query
}

enum TAttributeValueType {
  BOOLEAN = 0
  STRING = 1
}

struct TAttribute {
  1: required string key
  2: optional TAttributeValueType value_type
  3: optional string attribute_namespace
  4: optional string description
  5: optional bool is_system
  6: optional string created_by
  7: optional string user_agent
  8: optional i32 id
}

struct TAttributeValue {
  1: required TAttribute attribute
  2: required string value
  3: optional string database
  4: optional string table
  5: optional string column
  6: optional bool is_active
  7: optional string created_by
  8: optional string user_agent
  9: optional i32 rule_id
}

enum TTypeId {
  BOOLEAN = 0
  TINYINT = 1
  SMALLINT = 2
  INT = 3
  BIGINT = 4
  FLOAT = 5
  DOUBLE = 6
  STRING = 7
  VARCHAR = 8
  CHAR = 9
  DECIMAL = 10
  TIMESTAMP_NANOS = 11
  RECORD = 12
  ARRAY = 13
  MAP = 14
  BINARY = 15
  DATE = 16
  UNSUPPORTED = 17
}

struct TColumnType {
  1: required TTypeId type_id
  2: optional i32 precision
  3: optional i32 scale
  4: optional i32 len
  5: optional i32 num_children
}

struct TColumnDesc {
  1: required TColumnType type
  2: required string name
  3: optional bool is_partitioning_col
  4: optional bool hidden
  5: optional string comment
  6: optional list<TAttributeValue> attribute_values
}

struct TSchema {
  1: required list<TColumnDesc> cols
  2: required bool is_count_star
  3: optional list<TColumnDesc> nested_cols
}

struct TUniqueId {
  1: required i64 hi
  2: required i64 lo
}

struct TNetworkAddress {
  1: required string hostname
  2: required i32 port
}

enum TLoggingLevel {
  OFF = 0
  ALL = 1
  FATAL = 2
  ERROR = 3
  WARN = 4
  INFO = 5
  DEBUG = 6
  TRACE = 7
}

struct TLogMessage {
  1: required string message
  2: optional string detail
  3: required TLoggingLevel level
  4: required i32 count
}

struct TServerVersion {
  1: optional string version
  2: optional string build_time
  3: optional string build_hash
}

struct TInitApplicationParams {
  1: required string application
}

struct TInitApplicationResult {
  1: required string protocol_version
  2: required string authenticated_user
}

struct TMetricResponse {
  1: optional string metric_string
}

enum TRecordFormat {
  Columnar = 0
  ColumnarNumPy = 1
  Columnar2 = 2
  PrestoJson = 3
}

enum TCompressionCodec {
  LZ4 = 0
  ZSTD = 1
}

/** Written by scripts/api-types.mjs from the server's OpenAPI document. Do not edit. */

export interface ArtifactInfo {
  readonly path: string;
  readonly is_dir: boolean;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly created_at: string | null;
}

export interface ArtifactListResponse {
  readonly artifacts: readonly ArtifactInfo[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface ArtifactLogged {
  readonly message: string;
  readonly run_id: string;
  readonly artifact: string;
  readonly size: number;
  readonly sha256: string;
}

export interface AssessmentResponse {
  readonly id: string;
  readonly name: string;
  readonly kind: "expectation" | "feedback" | "issue";
  readonly source_type: string;
  readonly source_id: string;
  readonly payload: string;
  readonly rationale: string | null;
  readonly is_valid: boolean;
}

export interface AuditEntryResponse {
  readonly id: number;
  readonly time: string;
  readonly tenant: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly detail: Readonly<Record<string, string>>;
  readonly digest: string;
}

export interface AuditListResponse {
  readonly entries: readonly AuditEntryResponse[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface BatchLog {
  readonly metrics?: readonly MetricEntry[];
  readonly params?: readonly ParamEntry[];
  readonly tags?: readonly TagEntry[];
}

export interface BatchLogged {
  readonly run_id: string;
  readonly metrics: number;
  readonly params: number;
  readonly tags: number;
}

export interface CheckIn {
}

export interface CheckedIn {
  readonly run_id: string;
  readonly next_secs: number;
}

export interface CompareRequest {
  readonly run_ids: readonly string[];
  readonly metrics?: readonly string[] | null;
  readonly directions?: Readonly<Record<string, "max" | "min">>;
}

export interface CompareRunsResponse {
  readonly runs: readonly ComparedRun[];
  readonly comparison: Comparison;
}

export interface ComparedRun {
  readonly run_id: string;
  readonly name: string;
  readonly status: "failed" | "finished" | "killed" | "running" | "scheduled";
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number | "-Infinity" | "Infinity" | "NaN">>;
}

export interface Comparison {
  readonly metric_comparison: Readonly<Record<string, MetricComparison>>;
  readonly param_differences: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  readonly best_run: string | null;
}

export interface DeliveryListResponse {
  readonly deliveries: readonly DeliveryResponse[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface DeliveryResponse {
  readonly id: string;
  readonly webhook_id: string;
  readonly event: "model_alias.deleted" | "model_alias.set" | "model_version.created" | "model_version.stage_changed" | "model_version_alias.created" | "model_version_alias.deleted" | "model_version_tag.deleted" | "model_version_tag.set" | "prompt.created" | "prompt_alias.created" | "prompt_alias.deleted" | "prompt_tag.deleted" | "prompt_tag.set" | "prompt_version.created" | "prompt_version_tag.deleted" | "prompt_version_tag.set" | "registered_model.created" | "rule.fired" | "run.created" | "run.failed" | "run.finished" | "run.killed" | "run.resumed" | "webhook.test";
  readonly state: "dead" | "delivered" | "waiting";
  readonly attempts: number;
  readonly created_at: string;
  readonly next_at: string | null;
  readonly done_at: string | null;
  readonly status: number | null;
  readonly error: string | null;
  readonly body: string;
}

export interface ExperimentCreate {
  readonly name: string;
  readonly description?: string | null;
  readonly artifact_location?: string | null;
  readonly tags?: Readonly<Record<string, string>> | null;
}

export interface ExperimentListResponse {
  readonly experiments: readonly ExperimentResponse[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface ExperimentPatch {
  readonly name?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string | null>>;
}

export interface ExperimentResponse {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly description: string;
  readonly artifact_location: string;
  readonly lifecycle_stage: "active" | "deleted";
  readonly tags: Readonly<Record<string, string>>;
  readonly created_at: string;
  readonly last_updated: string;
  readonly run_count: number;
}

export interface ExperimentStorage {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: "active" | "deleted";
  readonly runs: number;
  readonly points: number;
  readonly points_bytes: number;
  readonly artifacts: number;
  readonly artifact_bytes: number;
}

export interface ExperimentStorageList {
  readonly experiments: readonly ExperimentStorage[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export interface FiringCleared {
  readonly rule_id: string;
  readonly run_id: string;
}

export interface FiringListResponse {
  readonly firings: readonly FiringResponse[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface FiringResponse {
  readonly run_id: string;
  readonly run_name: string;
  readonly fired_at: string;
  readonly message: string;
  readonly cleared_at: string | null;
}

export interface GroupRow {
  readonly values: Readonly<Record<string, string | null>>;
  readonly n: number;
  readonly aggregates: Readonly<Record<string, Readonly<Record<string, number | "-Infinity" | "Infinity" | "NaN" | null>>>>;
}

export interface GroupsResponse {
  readonly groups: readonly GroupRow[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface Health {
  readonly status: string;
  readonly version: string;
}

export interface HistoryResponse {
  readonly run_id: string;
  readonly series: readonly SeriesPoints[];
  readonly limit: number;
  readonly offset: number;
}

export interface InstallationStorage {
  readonly database_bytes: number;
  readonly points_bytes: number;
  readonly free_bytes: number;
  readonly other_bytes: number;
  readonly moved_bytes: number;
  readonly wal_bytes: number;
  readonly reserve_bytes: number;
  readonly content_bytes: number;
  readonly object_bytes: number;
  readonly unused_bytes: number;
  readonly upload_bytes: number;
  readonly disk_bytes: number;
  readonly disk_free_bytes: number;
}

export interface KeyCreate {
  readonly role: "admin" | "editor" | "ingest" | "platform" | "viewer";
  readonly name?: string | null;
  readonly tenants?: readonly string[];
  readonly expires_at?: string | number | null;
}

export interface KeyInfo {
  readonly kind: "metric" | "param" | "tag";
  readonly key: string;
  readonly runs: number;
}

export interface KeyListResponse {
  readonly keys: readonly KeyResponse[];
  readonly total: number;
}

export interface KeyMinted {
  readonly secret: string;
  readonly key: KeyResponse;
}

export interface KeyResponse {
  readonly id: string;
  readonly name: string;
  readonly role: "admin" | "editor" | "ingest" | "platform" | "viewer";
  readonly tenants: readonly string[];
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

export interface KeyRotate {
  readonly overlap_secs?: number;
}

export interface KeysResponse {
  readonly keys: readonly KeyInfo[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface LedgerResponse {
  readonly run_id: string;
  readonly writers: readonly WriterLedger[];
}

export interface MeResponse {
  readonly mode: "open" | "secured";
  readonly role: "admin" | "editor" | "ingest" | "open" | "platform" | "viewer";
  readonly name: string;
  readonly key_id: string | null;
  readonly session_id: string | null;
  readonly expires_at: string | null;
  readonly tenant: string | null;
  readonly tenants: readonly string[];
  readonly permissions: readonly string[];
}

export interface MetricComparison {
  readonly direction: "max" | "min";
  readonly best_run_id: string | null;
  readonly best_value: number | "-Infinity" | "Infinity" | "NaN" | null;
  readonly all_values: Readonly<Record<string, number | "-Infinity" | "Infinity" | "NaN" | null>>;
}

export interface MetricEntry {
  readonly key: string;
  readonly value: number | "-Infinity" | "Infinity" | "NaN";
  readonly step?: number;
  readonly timestamp?: number | null;
}

export interface MetricStorage {
  readonly key: string;
  readonly runs: number;
  readonly points: number;
  readonly points_bytes: number;
}

export interface MetricStorageList {
  readonly metrics: readonly MetricStorage[];
  readonly unsealed_points: number;
  readonly unsealed_bytes: number;
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface MetricsLog {
  readonly metrics: Readonly<Record<string, number | "-Infinity" | "Infinity" | "NaN">>;
  readonly step?: number;
  readonly timestamp?: number | null;
}

export interface MetricsLogged {
  readonly run_id: string;
  readonly metrics: number;
}

export interface ParamEntry {
  readonly key: string;
  readonly value: string | number | boolean | null;
}

export interface ParamsLog {
  readonly params: Readonly<Record<string, string | number | boolean | null>>;
}

export interface ParamsLogged {
  readonly run_id: string;
  readonly params: number;
}

export interface PartReceived {
  readonly upload_id: string;
  readonly number: number;
  readonly sha256: string;
}

export interface PartUrl {
  readonly number: number;
  readonly url: string;
}

export interface PointColumns {
  readonly keys: readonly string[];
  readonly key: readonly number[] | string;
  readonly step: readonly number[] | string;
  readonly timestamp: readonly number[] | string;
  readonly value: readonly (number | "-Infinity" | "Infinity" | "NaN")[] | string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly FieldProblem[];
  readonly request_id?: string | null;
  readonly expected_seq?: number | null;
}

export interface Purged {
  readonly id: string;
  readonly purged?: boolean;
}

export interface QuotaChange {
  readonly experiments?: number | null;
  readonly runs?: number | null;
  readonly series?: number | null;
  readonly points?: number | null;
  readonly artifact_bytes?: number | null;
}

export interface QuotaList {
  readonly tenants: readonly TenantQuotas[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface QuotaUse {
  readonly quota: "artifact_bytes" | "experiments" | "points" | "runs" | "series";
  readonly used: number;
  readonly limit: number | null;
}

export interface ReducedSeries {
  readonly run_id: string;
  readonly key: string;
  readonly n: number;
  readonly nonfinite: number;
  readonly x: readonly number[];
  readonly first: readonly (number | null)[];
  readonly last: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly count: readonly number[];
}

export interface RetentionApplied {
  readonly rule_id: string;
  readonly runs: number;
  readonly done: boolean;
}

export interface RetentionPreview {
  readonly rule_id: string;
  readonly points_bytes: number;
  readonly artifact_bytes: number;
  readonly runs: readonly RunStorage[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface RetentionRuleCreate {
  readonly action: "archive" | "purge";
  readonly after_days: number;
  readonly experiment_id?: string | null;
  readonly filter?: string;
  readonly keep_best?: number;
  readonly metric?: string | null;
  readonly best?: "max" | "min";
}

export interface RetentionRuleList {
  readonly rules: readonly RetentionRuleResponse[];
  readonly total: number;
}

export interface RetentionRuleResponse {
  readonly id: string;
  readonly action: "archive" | "purge";
  readonly after_days: number;
  readonly experiment_id: string | null;
  readonly filter: string;
  readonly keep_best: number;
  readonly metric: string | null;
  readonly best: "max" | "min";
  readonly created_at: string;
  readonly created_by: string;
  readonly applied_at: string | null;
  readonly applied_runs: number;
}

export interface RuleListResponse {
  readonly rules: readonly RuleResponse[];
  readonly total: number;
}

export interface RuleMatch {
  readonly run_id: string;
  readonly run_name: string;
  readonly message: string;
}

export interface RuleResponse {
  readonly id: string;
  readonly name: string;
  readonly kind: "no_progress" | "nonfinite" | "silent" | "threshold";
  readonly metric: string | null;
  readonly aggregate: "last" | "max" | "mean" | "min";
  readonly comparison: "<" | "<=" | ">" | ">=";
  readonly value: number | "-Infinity" | "Infinity" | "NaN";
  readonly direction: "max" | "min";
  readonly steps: number | null;
  readonly minutes: number | null;
  readonly filter: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly webhook_id: string | null;
  readonly end_run: boolean;
  readonly active: boolean;
  readonly created_by: string;
  readonly created_at: string;
  readonly last_updated: string;
}

export interface RuleSave {
  readonly name: string;
  readonly kind: "no_progress" | "nonfinite" | "silent" | "threshold";
  readonly metric?: string | null;
  readonly aggregate?: "last" | "max" | "mean" | "min";
  readonly comparison?: "<" | "<=" | ">" | ">=";
  readonly value?: number | "-Infinity" | "Infinity" | "NaN";
  readonly direction?: "max" | "min";
  readonly steps?: number | null;
  readonly minutes?: number | null;
  readonly filter?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly webhook_id?: string | null;
  readonly end_run?: boolean;
  readonly active?: boolean;
}

export interface RuleTested {
  readonly matches: readonly RuleMatch[];
}

export interface RunBegin {
  readonly experiment_id?: string | null;
  readonly experiment?: string | null;
  readonly name?: string | null;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly start_time?: number | null;
}

export interface RunCreate {
  readonly experiment_id: string;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly tags?: Readonly<Record<string, string>> | null;
  readonly id?: string | null;
}

export interface RunEnd {
  readonly status?: "failed" | "finished" | "killed";
  readonly end_time?: string | number | null;
}

export interface RunEventListResponse {
  readonly run_id: string;
  readonly events: readonly RunEventResponse[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface RunEventResponse {
  readonly id: string;
  readonly time: string;
  readonly kind: "back" | "lost" | "rule";
  readonly message: string;
}

export interface RunListResponse {
  readonly runs: readonly RunResponse[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface RunPatch {
  readonly name?: string;
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string | null>>;
  readonly status?: "failed" | "finished" | "killed" | "running" | "scheduled";
}

export interface RunResponse {
  readonly id: string;
  readonly experiment_id: string;
  readonly name: string;
  readonly description: string;
  readonly status: "failed" | "finished" | "killed" | "running" | "scheduled";
  readonly lifecycle_stage: "active" | "deleted";
  readonly start_time: string;
  readonly end_time: string | null;
  readonly duration_ms: number | null;
  readonly artifact_uri: string;
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number | "-Infinity" | "Infinity" | "NaN">>;
  readonly tags: Readonly<Record<string, string>>;
  readonly created_by: string;
}

export interface RunStorage {
  readonly run_id: string;
  readonly name: string;
  readonly lifecycle_stage: "active" | "deleted";
  readonly points: number;
  readonly points_bytes: number;
  readonly artifacts: number;
  readonly artifact_bytes: number;
}

export interface RunStorageList {
  readonly runs: readonly RunStorage[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
}

export interface SequencedBatch {
  readonly writer: string;
  readonly seq: number;
  readonly points?: PointColumns | null;
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly create?: RunBegin | null;
  readonly thinned?: number;
}

export interface SequencedBatchLogged {
  readonly run_id: string;
  readonly writer: string;
  readonly seq: number;
  readonly duplicate: boolean;
  readonly metrics: number;
  readonly params: number;
  readonly tags: number;
}

export interface SeriesPoints {
  readonly key: string;
  readonly total: number;
  readonly step: readonly number[];
  readonly timestamp: readonly number[];
  readonly value: readonly (number | "-Infinity" | "Infinity" | "NaN")[];
}

export interface SeriesRequest {
  readonly run_ids: readonly string[];
  readonly keys: readonly string[];
  readonly x?: string;
  readonly buckets?: number;
  readonly range?: readonly [number, number] | null;
}

export interface SeriesResponse {
  readonly series: readonly ReducedSeries[];
}

export interface SessionBegun {
  readonly secret: string;
  readonly return_to: string;
  readonly session: SessionResponse;
}

export interface SessionListResponse {
  readonly sessions: readonly SessionResponse[];
  readonly total: number;
}

export interface SessionResponse {
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly tenants: Readonly<Record<string, "admin" | "editor" | "viewer">>;
  readonly created_at: string;
  readonly expires_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

export interface SignInFinish {
  readonly code: string;
  readonly state: string;
  readonly iss?: string | null;
}

export interface SignInStart {
  readonly return_to?: string;
}

export interface SignInStarted {
  readonly url: string;
}

export interface SignInWays {
  readonly mode: "open" | "secured";
  readonly provider: string | null;
}

export interface SpanEvent {
  readonly name: string;
  readonly at_ns: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface SpanResponse {
  readonly id: string;
  readonly parent: string | null;
  readonly depth: number;
  readonly name: string;
  readonly kind: string;
  readonly status: "ERROR" | "OK" | "UNSET";
  readonly message: string;
  readonly start_ns: number;
  readonly duration_ns: number | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly SpanEvent[];
}

export interface StorageResponse {
  readonly experiment_id: string;
  readonly runs: number;
  readonly points: number;
  readonly points_bytes: number;
  readonly artifacts: number;
  readonly artifact_bytes: number;
}

export interface TableResponse {
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly run_ids: readonly string[];
  readonly columns: Readonly<Record<string, readonly (string | number | "-Infinity" | "Infinity" | "NaN" | null)[]>>;
}

export interface TagEntry {
  readonly key: string;
  readonly value: string;
}

export interface TenantQuotas {
  readonly tenant: string;
  readonly quotas: readonly QuotaUse[];
}

export interface TraceListResponse {
  readonly traces: readonly TraceSummary[];
  readonly total: number;
}

export interface TraceResponse {
  readonly trace: TraceSummary;
  readonly spans: readonly SpanResponse[];
  readonly assessments: readonly AssessmentResponse[];
}

export interface TraceSummary {
  readonly id: string;
  readonly name: string;
  readonly state: "ERROR" | "IN_PROGRESS" | "OK" | "STATE_UNSPECIFIED";
  readonly started_at: string;
  readonly duration_ms: number | null;
  readonly request_preview: string | null;
  readonly response_preview: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface UploadBegin {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface UploadRemoved {
  readonly upload_id: string;
}

export interface UploadStatus {
  readonly upload_id: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly part_size: number;
  readonly parts: readonly number[];
  readonly artifact: ArtifactLogged | null;
  readonly part_urls?: readonly PartUrl[];
}

export interface ViewListResponse {
  readonly views: readonly ViewResponse[];
  readonly total: number;
}

export interface ViewResponse {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly created_at: string;
  readonly last_updated: string;
  readonly created_by: string;
}

export interface ViewSave {
  readonly name: string;
  readonly state: string;
}

export interface WebhookCreate {
  readonly name: string;
  readonly url: string;
  readonly events: readonly ("model_alias.deleted" | "model_alias.set" | "model_version.created" | "model_version.stage_changed" | "model_version_alias.created" | "model_version_alias.deleted" | "model_version_tag.deleted" | "model_version_tag.set" | "prompt.created" | "prompt_alias.created" | "prompt_alias.deleted" | "prompt_tag.deleted" | "prompt_tag.set" | "prompt_version.created" | "prompt_version_tag.deleted" | "prompt_version_tag.set" | "registered_model.created" | "rule.fired" | "run.created" | "run.failed" | "run.finished" | "run.killed" | "run.resumed" | "webhook.test")[];
  readonly experiment_id?: string | null;
  readonly format?: "json" | "mlflow" | "slack";
}

export interface WebhookListResponse {
  readonly webhooks: readonly WebhookResponse[];
  readonly total: number;
}

export interface WebhookMinted {
  readonly secret: string;
  readonly webhook: WebhookResponse;
}

export interface WebhookPatch {
  readonly name?: string;
  readonly url?: string;
  readonly events?: readonly ("model_alias.deleted" | "model_alias.set" | "model_version.created" | "model_version.stage_changed" | "model_version_alias.created" | "model_version_alias.deleted" | "model_version_tag.deleted" | "model_version_tag.set" | "prompt.created" | "prompt_alias.created" | "prompt_alias.deleted" | "prompt_tag.deleted" | "prompt_tag.set" | "prompt_version.created" | "prompt_version_tag.deleted" | "prompt_version_tag.set" | "registered_model.created" | "rule.fired" | "run.created" | "run.failed" | "run.finished" | "run.killed" | "run.resumed" | "webhook.test")[];
  readonly format?: "json" | "mlflow" | "slack";
  readonly active?: boolean;
}

export interface WebhookResponse {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly events: readonly ("model_alias.deleted" | "model_alias.set" | "model_version.created" | "model_version.stage_changed" | "model_version_alias.created" | "model_version_alias.deleted" | "model_version_tag.deleted" | "model_version_tag.set" | "prompt.created" | "prompt_alias.created" | "prompt_alias.deleted" | "prompt_tag.deleted" | "prompt_tag.set" | "prompt_version.created" | "prompt_version_tag.deleted" | "prompt_version_tag.set" | "registered_model.created" | "rule.fired" | "run.created" | "run.failed" | "run.finished" | "run.killed" | "run.resumed" | "webhook.test")[];
  readonly experiment_id: string | null;
  readonly format: "json" | "mlflow" | "slack";
  readonly active: boolean;
  readonly created_by: string;
  readonly created_at: string;
  readonly last_updated: string;
}

export interface WriterLedger {
  readonly writer: string;
  readonly last_seq: number;
  readonly points: number;
  readonly duplicates_dropped: number;
  readonly points_thinned: number;
  readonly first_at: string;
  readonly last_at: string;
}

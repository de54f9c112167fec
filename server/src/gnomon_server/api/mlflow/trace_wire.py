"""The messages of traces and assessments, as `wire.py` says."""

from msgspec import UNSET, Raw, Struct, UnsetType

from gnomon_server.api.mlflow.wire import Asked, Enum, KeyValue, Pair, Told

# --- requests


class ExperimentPlace(Asked, frozen=True):
    experiment_id: str = ""


class TraceLocation(Asked, frozen=True):
    type: Enum = 0
    mlflow_experiment: ExperimentPlace | UnsetType = UNSET


class SourceSent(Asked, frozen=True):
    source_type: str = ""
    source_id: str = ""


class AssessmentSent(Asked, frozen=True):
    """`feedback`, `expectation` and `issue`: exactly one is there."""

    assessment_id: str = ""
    assessment_name: str = ""
    trace_id: str = ""
    span_id: str = ""
    source: SourceSent = SourceSent()
    create_time: str = ""
    last_update_time: str = ""
    feedback: dict[str, object] | UnsetType = UNSET
    expectation: dict[str, object] | UnsetType = UNSET
    issue: dict[str, object] | UnsetType = UNSET
    rationale: str | UnsetType = UNSET
    metadata: dict[str, str] = {}
    overrides: str = ""
    valid: bool = True


class TraceInfoSent(Asked, frozen=True):
    trace_id: str = ""
    client_request_id: str | UnsetType = UNSET
    trace_location: TraceLocation = TraceLocation()
    request_preview: str | UnsetType = UNSET
    response_preview: str | UnsetType = UNSET
    request_time: str = ""
    execution_duration: str | UnsetType = UNSET
    state: Enum = 0
    trace_metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    assessments: list[AssessmentSent] = []


class TraceSent(Asked, frozen=True):
    trace_info: TraceInfoSent = TraceInfoSent()


class StartTrace(Asked, frozen=True):
    required = ("trace",)
    trace: TraceSent | UnsetType = UNSET


class TraceFileAsked(Asked, frozen=True):
    required = ("request_id",)
    request_id: str = ""


class TraceAsked(Asked, frozen=True):
    required = ("trace_id",)
    trace_id: str = ""
    allow_partial: bool = False


class TracesAsked(Asked, frozen=True):
    required = ("trace_ids",)
    trace_ids: list[str] = []
    experiment_ids: list[str] | UnsetType = UNSET


class SearchTraces(Asked, frozen=True):
    required = ("locations",)
    locations: list[TraceLocation] = []
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


class SearchTracesV2(Asked, frozen=True):
    required = ("experiment_ids",)
    experiment_ids: list[str] = []
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


class DeleteTraces(Asked, frozen=True):
    required = ("experiment_id",)
    experiment_id: str = ""
    max_timestamp_millis: int | UnsetType = UNSET
    max_traces: int | UnsetType = UNSET
    request_ids: list[str] = []
    trace_ids: list[str] = []


class TraceTag(Asked, frozen=True):
    required = ("key",)
    key: str = ""
    value: str = ""


class LinkTraces(Asked, frozen=True):
    required = ("trace_ids", "run_id")
    trace_ids: list[str] = []
    run_id: str = ""


class PromptVersionSent(Asked, frozen=True):
    name: str = ""
    version: str = ""


class LinkPrompts(Asked, frozen=True):
    required = ("trace_id", "prompt_versions")
    trace_id: str = ""
    prompt_versions: list[PromptVersionSent] = []


class BeginTraceV2(Asked, frozen=True):
    experiment_id: str = ""
    timestamp_ms: int = 0
    request_metadata: list[Pair] = []
    tags: list[Pair] = []


class EndTraceV2(Asked, frozen=True):
    timestamp_ms: int = 0
    status: Enum = 0
    request_metadata: list[Pair] = []
    tags: list[Pair] = []


class CreateAssessment(Asked, frozen=True):
    required = ("assessment",)
    assessment: AssessmentSent | UnsetType = UNSET


class UpdateAssessment(Asked, frozen=True):
    required = ("assessment", "update_mask")
    assessment: AssessmentSent | UnsetType = UNSET
    update_mask: str = ""


# --- answers


class ExperimentTold(Struct, frozen=True):
    experiment_id: str


class LocationTold(Struct, frozen=True):
    mlflow_experiment: ExperimentTold
    type: str = "MLFLOW_EXPERIMENT"


class SourceTold(Struct, frozen=True):
    source_type: str
    source_id: str


class Assessment(Told, frozen=True):
    assessment_id: str
    assessment_name: str
    trace_id: str
    source: SourceTold
    create_time: str
    last_update_time: str
    valid: bool
    feedback: Raw | UnsetType = UNSET
    expectation: Raw | UnsetType = UNSET
    issue: Raw | UnsetType = UNSET
    rationale: str | UnsetType = UNSET
    metadata: dict[str, str] = {}
    span_id: str | UnsetType = UNSET
    overrides: str | UnsetType = UNSET


class TraceInfo(Told, frozen=True):
    trace_id: str
    trace_location: LocationTold
    request_time: str
    state: str
    client_request_id: str | UnsetType = UNSET
    execution_duration: str | UnsetType = UNSET
    request_preview: str | UnsetType = UNSET
    response_preview: str | UnsetType = UNSET
    trace_metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    assessments: list[Assessment] = []


class SpanTold(Told, frozen=True):
    """OTLP's span in protobuf-JSON: ids are base64."""

    trace_id: str
    span_id: str
    name: str
    start_time_unix_nano: int
    status: dict[str, str]
    parent_span_id: str | UnsetType = UNSET
    end_time_unix_nano: int | UnsetType = UNSET
    attributes: list[dict[str, object]] = []
    events: list[dict[str, object]] = []
    links: list[dict[str, object]] = []


class Trace(Told, frozen=True):
    trace_info: TraceInfo
    spans: list[SpanTold] = []


class TraceFound(Told, frozen=True):
    trace: Trace


class TracesFound(Told, frozen=True):
    traces: list[Trace] = []


class TraceInfosFound(Told, frozen=True):
    trace_infos: list[TraceInfo] = []


class TracePage(Told, frozen=True):
    traces: list[TraceInfo] = []
    next_page_token: str = ""


class CorrelateFilters(Asked, frozen=True):
    required = ("experiment_ids", "filter_string1", "filter_string2")
    experiment_ids: list[str] = []
    filter_string1: str = ""
    filter_string2: str = ""
    base_filter: str = ""


class FiltersCorrelated(Struct, frozen=True):
    filter1_count: int
    filter2_count: int
    joint_count: int
    total_count: int
    npmi: float | UnsetType = UNSET
    npmi_smoothed: float | UnsetType = UNSET


class TracesDeleted(Struct, frozen=True):
    traces_deleted: int


class AssessmentFound(Told, frozen=True):
    assessment: Assessment


class TraceInfoV2(Told, frozen=True):
    request_id: str
    experiment_id: str
    timestamp_ms: int
    status: str
    execution_time_ms: int | UnsetType = UNSET
    request_metadata: list[KeyValue] = []
    tags: list[KeyValue] = []


class TraceInfoFoundV2(Told, frozen=True):
    trace_info: TraceInfoV2


class TracePageV2(Told, frozen=True):
    traces: list[TraceInfoV2] = []
    next_page_token: str = ""

"""The messages of the native API, `/api/v1`: the contract that server and SDK share.

Request structs forbid unknown fields, so a misspelt name is refused rather than ignored. Non-finite doubles travel in
JSON as the strings "NaN", "Infinity" and "-Infinity", both ways, and come back exactly; `to_wire` and `from_wire`
convert. Resource times are ISO 8601 in UTC with milliseconds; point times are integer Unix milliseconds.

One module a topic; what a type allows stands in `gnomon.bounds`.
"""

from gnomon.bounds import ExperimentName as ExperimentName
from gnomon.bounds import Sha256 as Sha256
from gnomon.bounds import Time as Time
from gnomon.bounds import Uid as Uid
from gnomon.wire.access import AuditEntryResponse as AuditEntryResponse
from gnomon.wire.access import AuditListResponse as AuditListResponse
from gnomon.wire.access import KeyCreate as KeyCreate
from gnomon.wire.access import KeyListResponse as KeyListResponse
from gnomon.wire.access import KeyMinted as KeyMinted
from gnomon.wire.access import KeyResponse as KeyResponse
from gnomon.wire.access import KeyRotate as KeyRotate
from gnomon.wire.access import MeResponse as MeResponse
from gnomon.wire.access import Role as Role
from gnomon.wire.artifacts import PART_BYTES as PART_BYTES
from gnomon.wire.artifacts import ArtifactInfo as ArtifactInfo
from gnomon.wire.artifacts import ArtifactListResponse as ArtifactListResponse
from gnomon.wire.artifacts import ArtifactLogged as ArtifactLogged
from gnomon.wire.artifacts import PartReceived as PartReceived
from gnomon.wire.artifacts import UploadRemoved as UploadRemoved
from gnomon.wire.artifacts import UploadStatus as UploadStatus
from gnomon.wire.artifacts import part_size as part_size
from gnomon.wire.batches import BatchLog as BatchLog
from gnomon.wire.batches import BatchLogged as BatchLogged
from gnomon.wire.batches import CheckedIn as CheckedIn
from gnomon.wire.batches import CheckIn as CheckIn
from gnomon.wire.batches import MetricEntry as MetricEntry
from gnomon.wire.batches import MetricsLog as MetricsLog
from gnomon.wire.batches import MetricsLogged as MetricsLogged
from gnomon.wire.batches import ParamEntry as ParamEntry
from gnomon.wire.batches import ParamsLog as ParamsLog
from gnomon.wire.batches import ParamsLogged as ParamsLogged
from gnomon.wire.batches import PointColumns as PointColumns
from gnomon.wire.batches import SequencedBatch as SequencedBatch
from gnomon.wire.batches import SequencedBatchLogged as SequencedBatchLogged
from gnomon.wire.batches import TagEntry as TagEntry
from gnomon.wire.experiments import ExperimentCreate as ExperimentCreate
from gnomon.wire.experiments import ExperimentListResponse as ExperimentListResponse
from gnomon.wire.experiments import ExperimentPatch as ExperimentPatch
from gnomon.wire.experiments import ExperimentResponse as ExperimentResponse
from gnomon.wire.messages import Direction as Direction
from gnomon.wire.messages import EndStatus as EndStatus
from gnomon.wire.messages import LifecycleStage as LifecycleStage
from gnomon.wire.messages import NonFinite as NonFinite
from gnomon.wire.messages import Number as Number
from gnomon.wire.messages import Request as Request
from gnomon.wire.messages import RunStatus as RunStatus
from gnomon.wire.messages import Scalar as Scalar
from gnomon.wire.messages import from_wire as from_wire
from gnomon.wire.messages import to_wire as to_wire
from gnomon.wire.problems import FieldProblem as FieldProblem
from gnomon.wire.problems import Problem as Problem
from gnomon.wire.reading import ComparedRun as ComparedRun
from gnomon.wire.reading import CompareRequest as CompareRequest
from gnomon.wire.reading import CompareRunsResponse as CompareRunsResponse
from gnomon.wire.reading import Comparison as Comparison
from gnomon.wire.reading import GroupRow as GroupRow
from gnomon.wire.reading import GroupsResponse as GroupsResponse
from gnomon.wire.reading import HistoryResponse as HistoryResponse
from gnomon.wire.reading import KeyInfo as KeyInfo
from gnomon.wire.reading import KeysResponse as KeysResponse
from gnomon.wire.reading import MetricComparison as MetricComparison
from gnomon.wire.reading import ReducedSeries as ReducedSeries
from gnomon.wire.reading import SeriesPoints as SeriesPoints
from gnomon.wire.reading import SeriesRequest as SeriesRequest
from gnomon.wire.reading import SeriesResponse as SeriesResponse
from gnomon.wire.reading import TableResponse as TableResponse
from gnomon.wire.retention import RetentionApplied as RetentionApplied
from gnomon.wire.retention import RetentionPreview as RetentionPreview
from gnomon.wire.retention import RetentionRuleCreate as RetentionRuleCreate
from gnomon.wire.retention import RetentionRuleList as RetentionRuleList
from gnomon.wire.retention import RetentionRuleResponse as RetentionRuleResponse
from gnomon.wire.runs import RunBegin as RunBegin
from gnomon.wire.runs import RunCreate as RunCreate
from gnomon.wire.runs import RunEnd as RunEnd
from gnomon.wire.runs import RunListResponse as RunListResponse
from gnomon.wire.runs import RunPatch as RunPatch
from gnomon.wire.runs import RunResponse as RunResponse
from gnomon.wire.storage import ExperimentStorage as ExperimentStorage
from gnomon.wire.storage import ExperimentStorageList as ExperimentStorageList
from gnomon.wire.storage import InstallationStorage as InstallationStorage
from gnomon.wire.storage import MetricStorage as MetricStorage
from gnomon.wire.storage import MetricStorageList as MetricStorageList
from gnomon.wire.storage import RunStorage as RunStorage
from gnomon.wire.storage import RunStorageList as RunStorageList
from gnomon.wire.storage import StorageResponse as StorageResponse

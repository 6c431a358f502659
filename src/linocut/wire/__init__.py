"""The wire: what a client sends and receives, with the names of the published contract (contract/contract.json).

One struct a published schema, of the same name. Absent and null are different things here: a field that is ``UNSET``
does not travel at all, a field that is ``None`` travels as null. What is ours stands inside ``x_linocut``.
Server and client share these; nothing here knows HTTP.
"""

from linocut.wire.datasets import (
    AssetIdentifier,
    CreateDatasetRequest,
    Dataset,
    DatasetFile,
    DatasetUploadFailedAsset,
    DatasetUploadSucceededAsset,
    FileExtras,
    GetDatasetResponse,
    ListDatasetsResponse,
    UploadDatasetAssetsRequest,
    UploadDatasetAssetsResponse,
    UploadExtras,
)
from linocut.wire.errors import ErrorBody, GenerateImageSafetyError, RejectError
from linocut.wire.events import (
    PreviewEvent,
    ProgressEvent,
    ScoreEvent,
    StatusEvent,
)
from linocut.wire.generation import (
    AnswerExtras,
    GenerateImageRequestV3,
    GenerateImageRequestV4,
    ImageExtras,
    ImageGenerationObjectV3,
    ImageGenerationObjectV4,
    ImageGenerationResponseV3,
    ImageGenerationResponseV4,
    MagicPromptV4Request,
    MagicPromptV4Response,
)
from linocut.wire.models import (
    CustomModel,
    GetModelResponse,
    ListModelsResponse,
    ModelExtras,
    RunExtras,
    ShareModelRequest,
    TrainingRun,
)
from linocut.wire.reports import (
    CaptionResponse,
    DatasetAsset,
    DatasetFinding,
    DatasetReport,
    ListAssetsResponse,
    ReportFile,
    ReportSummary,
    SetCaptionRequest,
    TrainingCrop,
)
from linocut.wire.structured_prompts import V4JsonPrompt
from linocut.wire.training import (
    TrainDatasetModelRequest,
    TrainDatasetModelResponse,
    TrainModelV3AdvancedRequest,
    TrainModelV3Request,
    TrainModelV4AdvancedRequest,
    TrainModelV4Request,
)

__all__ = [
    "AnswerExtras",
    "AssetIdentifier",
    "CaptionResponse",
    "CreateDatasetRequest",
    "CustomModel",
    "Dataset",
    "DatasetAsset",
    "DatasetFile",
    "DatasetFinding",
    "DatasetReport",
    "DatasetUploadFailedAsset",
    "DatasetUploadSucceededAsset",
    "ErrorBody",
    "FileExtras",
    "GenerateImageRequestV3",
    "GenerateImageRequestV4",
    "GenerateImageSafetyError",
    "GetDatasetResponse",
    "GetModelResponse",
    "ImageExtras",
    "ImageGenerationObjectV3",
    "ImageGenerationObjectV4",
    "ImageGenerationResponseV3",
    "ImageGenerationResponseV4",
    "ListAssetsResponse",
    "ListDatasetsResponse",
    "ListModelsResponse",
    "MagicPromptV4Request",
    "MagicPromptV4Response",
    "ModelExtras",
    "PreviewEvent",
    "ProgressEvent",
    "RejectError",
    "ReportFile",
    "ReportSummary",
    "RunExtras",
    "ScoreEvent",
    "SetCaptionRequest",
    "ShareModelRequest",
    "StatusEvent",
    "TrainDatasetModelRequest",
    "TrainDatasetModelResponse",
    "TrainModelV3AdvancedRequest",
    "TrainModelV3Request",
    "TrainModelV4AdvancedRequest",
    "TrainModelV4Request",
    "TrainingCrop",
    "TrainingRun",
    "UploadDatasetAssetsRequest",
    "UploadDatasetAssetsResponse",
    "UploadExtras",
    "V4JsonPrompt",
]

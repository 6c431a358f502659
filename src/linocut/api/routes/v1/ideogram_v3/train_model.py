"""/v1/ideogram-v3/train-model and its advanced form."""

from linocut.api.training import train_routes
from linocut.wire import TrainModelV3AdvancedRequest, TrainModelV3Request

OPERATIONS = train_routes(3, TrainModelV3Request, TrainModelV3AdvancedRequest)

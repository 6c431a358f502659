"""/v1/ideogram-v4/train-model and its advanced form."""

from linocut.api.training import train_routes
from linocut.wire import TrainModelV4AdvancedRequest, TrainModelV4Request

OPERATIONS = train_routes(4, TrainModelV4Request, TrainModelV4AdvancedRequest)

"""Closed-form matting: the alphas of a narrow band, of which everything around is known.

Within any small window an image's alpha is nearly an affine function of its colours (A. Levin, D. Lischinski,
Y. Weiss: A Closed-Form Solution to Natural Image Matting, PAMI 2008). That gives a sparse quadratic form, the matting
Laplacian; its minimum under the known alphas, and under a weak pull to a first guess, is a sparse linear system.

Shapes: H and W pixels, N unknown pixels, K windows of 9 pixels.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import cg

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

EPSILON = 1e-5
"""The regulariser of the windows' covariances, of colours in 0..1."""
TOLERANCE, MOST_ROUNDS = 1e-3, 200
MOST_UNKNOWN = 40_000
"""Pixels of a band that is solved: beyond it, the first guess stands."""


def solved(pixels_HWC: Floats, alpha_HW: Floats, unknown_HW: Flags, trust_HW: Floats) -> Floats:
    """``alpha_HW`` with the pixels of ``unknown_HW`` solved for. Colours and alphas in 0..1.

    ``alpha_HW`` is the first guess where it is unknown, ``trust_HW`` (0 and more) how strongly it pulls there.
    """
    count = int(unknown_HW.sum())
    if not 0 < count <= MOST_UNKNOWN or min(alpha_HW.shape) < 3:
        return alpha_HW
    members_K9 = _windows(unknown_HW)
    laplacian_K99 = _laplacians(pixels_HWC.reshape(-1, 3), members_K9)
    place = np.full(alpha_HW.size, -1, np.int32)
    place[unknown_HW.ravel()] = np.arange(count)
    rows_K99 = np.broadcast_to(place[members_K9][:, :, None], laplacian_K99.shape)
    columns_K99 = np.broadcast_to(place[members_K9][:, None, :], laplacian_K99.shape)
    is_row = rows_K99 >= 0
    inner, outer = is_row & (columns_K99 >= 0), is_row & (columns_K99 < 0)
    matrix = csr_matrix((laplacian_K99[inner], (rows_K99[inner], columns_K99[inner])), (count, count))
    known_K99 = np.broadcast_to(alpha_HW.ravel()[members_K9][:, None, :], laplacian_K99.shape)
    given = np.bincount(rows_K99[outer], -laplacian_K99[outer] * known_K99[outer], count).astype(np.float64)
    guess, trust = alpha_HW[unknown_HW].astype(np.float64), trust_HW[unknown_HW].astype(np.float64)
    matrix = matrix + diags(trust + 1e-6)
    given = given + (trust + 1e-6) * guess
    steps = diags(1.0 / np.maximum(matrix.diagonal(), 1e-9))
    found, _ = cg(matrix, given, x0=guess, rtol=TOLERANCE, maxiter=MOST_ROUNDS, M=steps)
    after_HW = alpha_HW.copy()
    after_HW[unknown_HW] = np.clip(found, 0.0, 1.0)
    return after_HW


def _windows(unknown_HW: Flags) -> NDArray[np.intp]:
    """The pixels (flat) of every window of 3 x 3 that has an unknown one."""
    width = unknown_HW.shape[1]
    centres_HW = binary_dilation(unknown_HW, np.ones((3, 3), bool))
    centres_HW[[0, -1]] = centres_HW[:, [0, -1]] = False
    y, x = np.nonzero(centres_HW)
    steps = np.array([dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    members_K9: NDArray[np.intp] = (y * width + x)[:, None] + steps
    return members_K9


def _laplacians(colours_P3: Floats, members_K9: NDArray[np.intp]) -> Floats:
    """Each window's part of the matting Laplacian, ``[K, 9, 9]``."""
    colours_K93 = colours_P3[members_K9].astype(np.float64)
    centred_K93 = colours_K93 - colours_K93.mean(axis=1, keepdims=True)
    covariance_K33 = centred_K93.transpose(0, 2, 1) @ centred_K93 / 9 + EPSILON / 9 * np.eye(3)
    whitened_K39 = np.linalg.solve(covariance_K33, centred_K93.transpose(0, 2, 1))
    laplacian_K99: Floats = np.eye(9) - (1.0 + centred_K93 @ whitened_K39) / 9
    return laplacian_K99

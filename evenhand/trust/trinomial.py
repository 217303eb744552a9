"""An exact test of the mean of values in {-1, 0, 1}."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

BETA = 0.001
STEPS = 40


def exact_p(values: ArrayLike, means: ArrayLike) -> NDArray[np.float64]:
    """p-values of "the expectation is `means` or more", valid for any number of values.

    The chance of a sum as small as the one seen, at the worst share of zeros that a 99.9 % interval
    allows, plus that interval's 0.001.

    Paper: Berger and Boos 1994, "P Values Maximized Over a Confidence Set for the Nuisance
        Parameter", Journal of the American Statistical Association 89

    Args:
        values: Shape (n,), each -1, 0 or 1.
        means: Shape (k,), in [-1, 1].

    Returns:
        Shape (k,), falling in `means`.

    Example:
        >>> exact_p([-1] * 10, [0.0, 0.5]).round(4).tolist()
        [0.002, 0.001]
    """
    x, mu = np.asarray(values, dtype=float), np.asarray(means, dtype=float)
    n, zeros, total = len(x), int(np.sum(x == 0)), int(np.sum(x))
    low = betaincinv(zeros, n - zeros + 1, BETA / 2) if zeros else 0.0
    high = betaincinv(zeros + 1, n - zeros, 1 - BETA / 2) if zeros < n else 1.0
    top = np.minimum(high, 1 - np.maximum(mu, 0.0))
    share = low + np.linspace(0.0, 1.0, STEPS) * np.maximum(top - low, 0.0)[:, None]
    # Below zero the hypothesis also holds means that few non-zeros can reach: the nearest one.
    mean = np.maximum(mu[:, None], share - 1)
    plus, minus = (1 - share + mean) / 2, (1 - share - mean) / 2
    tail = _tail(share, np.maximum(plus, 0.0), np.maximum(minus, 0.0), n, total)
    p = np.where(top < low, 0.0, tail.max(axis=1)) + BETA
    # A step of the grid of shares can leave a dent of 1e-4: hypotheses that hold more are no less.
    return np.minimum(1.0, np.maximum.accumulate(p[np.argsort(-mu)])[np.argsort(np.argsort(-mu))])


def _tail(
    zero: NDArray[np.float64],
    plus: NDArray[np.float64],
    minus: NDArray[np.float64],
    n: int,
    total: int,
) -> NDArray[np.float64]:
    """P(sum of n draws <= total), by the discrete Fourier transform of their law."""
    size = 2 * n + 1
    turn = np.exp(-2j * np.pi * np.arange(n + 1) / size)
    law = zero[..., None] + plus[..., None] * turn + minus[..., None] / turn
    chances = np.fft.irfft(law**n, n=size, axis=-1)
    # Entry s holds the chance of the sum s, negative sums from the end.
    order = np.arange(-n, total + 1) % size
    return np.asarray(np.clip(chances[..., order].sum(axis=-1), 0.0, 1.0), dtype=float)

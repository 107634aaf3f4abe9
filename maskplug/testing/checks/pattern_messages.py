"""A layer that is missing is named."""

from __future__ import annotations

from itertools import product

from maskplug.errors import TokenError
from maskplug.testing.pattern_subject import DEPTHS, PatternSubject
from maskplug.testing.subject import NotApplicable

READ = "site.layer, site.each and site.pairs raise an error that names it"


def check_missing_layer(subject: PatternSubject) -> None:
    """Without a layer that it reads, a pattern names that layer."""
    if not subject.pattern.all_required_annotations:
        raise NotApplicable("the pattern reads no layer")
    for name in subject.pattern.all_required_annotations:
        said = []
        for batch, layer_idx in product(subject.batches(), DEPTHS):
            annotations = {key: layer for key, layer in batch.annotations.items() if key != name}
            try:
                subject.rows(batch, annotations, layer_idx=layer_idx)
            except TokenError as error:
                said.append(str(error))
            except Exception as error:
                raise AssertionError(
                    f"without the layer {name!r} the pattern raises {type(error).__name__}: "
                    f"{error}\nIt should raise TokenError: {READ}"
                ) from error
        assert said, f"the layer {name!r} is in `reads`, and nothing misses it; {READ}"
        for message in said:
            assert repr(name) in message, f"the message does not name the layer {name!r}: {message}"

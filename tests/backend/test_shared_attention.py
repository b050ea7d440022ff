"""Self-attention that is shared with an anchor, against the same by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from maquette.families.shared_attention import shared_attention


def by_hand(attention: Any, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    q, k, v = (
        layer(tokens).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
        for layer, tokens in zip(
            (attention.to_q, attention.to_k, attention.to_v), (queries, keys, keys), strict=True
        )
    )
    weights = (q @ k.transpose(-1, -2) * attention.scale).softmax(-1)
    return attention.to_out[0]((weights @ v).transpose(1, 2).flatten(2))


@torch.inference_mode()
def test_keys_and_values_are_a_views_own_and_the_anchors(tiny_model: Path) -> None:
    unet = UNet2DConditionModel.from_pretrained(tiny_model / "unet")
    block = next(each for each in unet.modules() if isinstance(each, BasicTransformerBlock))
    attention: Any = block.attn1
    whole = unet.attn_processors
    torch.manual_seed(4)
    plain = torch.randn(4, 20, attention.to_q.in_features)
    # Two views, without and with the prompt; then one of another size.
    others = torch.randn(2, 12, attention.to_q.in_features)
    before = attention(plain)
    for sliced in (False, True):
        if sliced:
            unet.set_attention_slice("max")
        with shared_attention(unet, guided=True) as shared:
            first = attention(plain)
            shared.leads = False
            second = attention(others)
        for half in (0, 1):
            anchor = plain[2 * half]
            assert torch.allclose(first[2 * half], before[2 * half], atol=1e-5)
            for tokens, found in (
                (plain[2 * half + 1], first[2 * half + 1]),
                (others[half], second[half]),
            ):
                wanted = by_hand(attention, tokens[None], torch.cat([tokens, anchor])[None])
                assert torch.allclose(found, wanted[0], atol=1e-5)
        assert torch.allclose(attention(plain), before, atol=1e-5)
    unet.set_attn_processor(whole)
    assert torch.equal(attention(plain), before)

"""EcoLogits itself (PyPI: ecologits) answers what its formula gives for the requests a test asks about.

A line of JSON in, a line of JSON out. In: {"active": [low, high], "total": [low, high], "pue": [low, high], "wue": [low, high],
"gwp", "adpe", "pe", "water", "tokens", "latency": seconds or null, "tps": or null, "ttft": or null}. Two equal ends are one number.
Out: {"energy", "water", "usage": [gwp, adpe, pe], "embodied": [gwp, adpe, pe]}, each [low, high]. {"sites": true} is answered with
{provider: [zone, pue, wue]}.
"""

import json
import sys

from ecologits.impacts.llm import compute_llm_impacts
from ecologits.tracers.utils import PROVIDER_CONFIG_MAP
from ecologits.utils.range_value import RangeValue


def given(ends):
    low, high = ends
    return low if low == high else RangeValue(min=low, max=high)


def ends(value):
    return [value.min, value.max] if isinstance(value, RangeValue) else [value, value]


def sites():
    return {
        name: [site.datacenter_location, ends(site.datacenter_pue), ends(site.datacenter_wue)] for name, site in PROVIDER_CONFIG_MAP.items()
    }


def impacts(asked):
    found = compute_llm_impacts(
        model_active_parameter_count=given(asked["active"]),
        model_total_parameter_count=given(asked["total"]),
        output_token_count=asked["tokens"],
        if_electricity_mix_adpe=asked["adpe"],
        if_electricity_mix_pe=asked["pe"],
        if_electricity_mix_gwp=asked["gwp"],
        if_electricity_mix_wue=asked["water"],
        datacenter_pue=given(asked["pue"]),
        datacenter_wue=given(asked["wue"]),
        request_latency=asked["latency"],
        tps=asked["tps"],
        ttft=asked["ttft"],
    )
    phase = lambda of: [ends(of.gwp.value), ends(of.adpe.value), ends(of.pe.value)]
    return {
        "energy": ends(found.usage.energy.value),
        "water": ends(found.usage.wcf.value),
        "usage": phase(found.usage),
        "embodied": phase(found.embodied),
    }


for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps(sites() if "sites" in asked else impacts(asked)))

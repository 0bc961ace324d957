"""How long a customer waits and how long an agent works for them: fixed by the seed and the interaction.

Read by all who wait or work. Since a fate depends on nothing else, a restarted demo goes on with
the same patience and the same work, of which the part that has passed is over.
"""

from typing import Final, Literal, get_args

import msgspec

from paceline.runtime.chance import Chance, Stream
from paceline.simulator.bank_day import MEDIA, BankDay, CustomerType

MEAN_WRAP_UP_S: Final = 20.0
"""Work after the conversation, exponential (PACING.md, world R); the agent has the interaction until then."""


class CustomerData(msgspec.Struct, frozen=True):
    """The user data of a made-up customer."""

    customer_type: CustomerType | Literal["all"] = msgspec.field(default="all", name="CustomerType")


_decoder = msgspec.json.Decoder(CustomerData)
_ANYONE = CustomerData()


def user_data_of(customer_type: CustomerType) -> msgspec.Raw:
    """User data that tell an agent's side what kind of customer it is."""
    return msgspec.Raw(msgspec.json.encode(CustomerData(customer_type)))


def customer_type_of(user_data: bytes | msgspec.Raw) -> CustomerType | Literal["all"]:
    """The kind of customer; somebody else's interaction is like the average one."""
    try:
        return _decoder.decode(user_data).customer_type
    except msgspec.DecodeError:
        return _ANYONE.customer_type


class Fates:
    """Patience and work of each interaction, by its id."""

    def __init__(self, chance: Chance, day: BankDay) -> None:
        self._chance = chance
        self._day = day

    def patience_s(self, interaction_id: str) -> float:
        """How long this customer waits in all, as the bank's customers did."""
        return self._day.draw_patience_s(self._chance.stream(f"patience of {interaction_id}"))

    def handling_s(self, interaction_id: str, user_data: bytes | msgspec.Raw) -> float:
        """How long an agent has it: the bank's service time of the customer type, and the wrap-up."""
        stream = self._chance.stream(f"handling of {interaction_id}")
        service_s = self._day.service[customer_type_of(user_data)].draw(stream)
        return service_s + stream.exponential(MEAN_WRAP_UP_S)

    def draw_type(self, media_type: str, stream: Stream) -> CustomerType | None:
        """A kind of customer for this medium, as often as the bank had it; None for other media."""
        types = [name for name in get_args(CustomerType) if MEDIA[name] == media_type]
        if not types:
            return None
        drawn: CustomerType = stream.choices(types, [self._day.service[n].calls for n in types])[0]
        return drawn

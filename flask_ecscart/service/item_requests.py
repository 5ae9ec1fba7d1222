"""What an ItemLookup or ItemSearch asks for: its parameters read into an `ItemCall`, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from flask_ecscart.errors import (
    ECSError,
    InvalidEnumeratedParameter,
    InvalidParameterCombination,
    MaximumParameterRequirement,
    MinimumParameterRequirement,
    MissingParameters,
    ParameterOutOfRange,
)
from flask_ecscart.service.browse import group_key
from flask_ecscart.service.common import (
    TAG_REQUIRED,
    escaped_twice,
    is_true,
    operation_of,
    too_long,
    version_of,
)
from flask_ecscart.service.groups import group_problems, read_groups
from flask_ecscart.service.messages import refusal

__all__ = ["ItemCall", "read_item_call"]

_ECHOED = {
    "ItemLookup": ("Condition", "IdType", "MerchantId", "ItemId", "ResponseGroup", "SearchIndex", "VariationPage"),
    "ItemSearch": (
        *("Condition", "ItemPage", "Keywords", "MerchantId", "ResponseGroup", "SearchIndex", "Sort", "Title"),
    ),
}
"""Parameters that are read, in the order of the schema's echo."""
_MAX_IDS = 10
_DEFAULT_GROUP = "Small"
_PAGES, _PAGES_EVERYWHERE, _OLD_PAGES = 10, 5, 400
_FEWER_PAGES_SINCE = "2011-08-01"
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_CONDITIONS = ("All", "New", "Used", "Collectible", "Refurbished")
_ID_TYPES = ("ASIN",)
_WITH_VARIATIONS = frozenset({"Variations", "VariationSummary", "VariationOffers", "VariationMinimum"})
_SEARCH_INDEXES = (
    *("All", "Apparel", "Appliances", "ArtsAndCrafts", "Automotive", "Baby", "Beauty", "Blended", "Books"),
    *("Classical", "Collectibles", "DVD", "DigitalMusic", "Electronics", "GiftCards", "GourmetFood", "Grocery"),
    *("HealthPersonalCare", "HomeGarden", "Industrial", "Jewelry", "KindleStore", "Kitchen", "LawnAndGarden"),
    *("MP3Downloads", "Magazines", "Marketplace", "Miscellaneous", "MobileApps", "Music", "MusicTracks"),
    *("MusicalInstruments", "OfficeProducts", "OutdoorLiving", "PCHardware", "PetSupplies", "Photo", "Shoes"),
    *("Software", "SportingGoods", "Tools", "Toys", "UnboxVideo", "VHS", "Video", "VideoGames", "Watches"),
    *("Wireless", "WirelessAccessories"),
)
"""Amazon's own; beside them every product group of the catalog can be searched."""


class ItemCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request about items. `sent` has the parameters that are read, as sent and not empty."""

    operation: str
    locale: str
    version: str
    access_key: str
    associate_tag: str | None
    sent: Mapping[str, str]
    response_groups: tuple[str, ...]
    own_groups: frozenset[str] = frozenset()
    """Keys of the catalog's product groups, which are search indexes too."""
    only_validate: bool = False
    escaped_twice: bool = False

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The ItemIds, each once, in capitals (documented) and in their order."""
        parts = (part.strip().upper() for part in self.sent.get("ItemId", "").split(","))
        return tuple(dict.fromkeys(part for part in parts if part))

    @property
    def page(self) -> int:
        """The ItemPage; only when `problems` are none."""
        return int(self.sent.get("ItemPage", "1"))

    @property
    def variation_page(self) -> int | None:
        """The VariationPage, None for all; only when `problems` are none."""
        page = self.sent.get("VariationPage", "All")
        return None if page == "All" else int(page)

    @property
    def shows_variations(self) -> bool:
        """Whether a parent's children belong into the reply."""
        return not _WITH_VARIATIONS.isdisjoint(self.response_groups)

    def echo(self) -> Iterator[tuple[str, str]]:
        """Names and texts of the request's echo, one for each ItemId and ResponseGroup, defaults included."""
        defaults = {"IdType": "ASIN"} if self.operation == "ItemLookup" else {}
        if self.operation == "ItemLookup" and self.version <= _FEWER_PAGES_SINCE:
            defaults["VariationPage"] = "All"  # recorded 2011
        values = {**defaults, **self.sent}
        for name in _ECHOED[self.operation]:
            if name == "ResponseGroup":
                yield from ((name, group) for group in self.response_groups)
            elif name == "ItemId":
                yield from ((name, item_id) for item_id in self.item_ids)
            elif name in values:
                yield name, values[name]

    def problems(self) -> list[ECSError]:
        """What is missing or cannot be read."""
        found: list[ECSError] = [refusal(MissingParameters, self.locale, name=name) for name in self._missing()]
        found += group_problems(self.operation, self.locale, self.response_groups)
        found += too_long(self.locale, {"AssociateTag": self.associate_tag})
        found += self._enumerated("Condition", _CONDITIONS)
        found += self._lookup_problems() if self.operation == "ItemLookup" else self._search_problems()
        return found

    def _missing(self) -> Iterator[str]:
        required = "ItemId" if self.operation == "ItemLookup" else "SearchIndex"
        if not self.sent.get(required):
            yield required
        if self.version >= TAG_REQUIRED and not self.associate_tag:
            yield "AssociateTag"

    def _lookup_problems(self) -> Iterator[ECSError]:
        yield from self._enumerated("IdType", _ID_TYPES)
        if len(self.item_ids) > _MAX_IDS:
            problem = refusal(MaximumParameterRequirement, self.locale, name="ItemId", most=_MAX_IDS)
            yield MaximumParameterRequirement(problem.message, code="AWS.ExceededMaximumParameterValues")
        if "SearchIndex" in self.sent and self.sent.get("IdType", "ASIN") == "ASIN":
            yield InvalidParameterCombination(
                "Your request contains a restricted parameter combination. "
                "When IdType equals ASIN, SearchIndex cannot be present.",
                code="AWS.RestrictedParameterValueCombination",
            )
        page = self.sent.get("VariationPage", "All")
        if page != "All" and (not _NUMBER.fullmatch(page) or int(page) == 0):
            yield refusal(InvalidEnumeratedParameter, self.locale, name="VariationPage", values="'All', 1, 2, 3, …")

    def _search_problems(self) -> Iterator[ECSError]:
        if not self.sent.get("Keywords") and not self.sent.get("Title"):
            yield refusal(MinimumParameterRequirement, self.locale, names="'Keywords','Title'")
        index = self.sent.get("SearchIndex", "All")
        if index not in _SEARCH_INDEXES and group_key(index) not in self.own_groups:
            yield from self._enumerated("SearchIndex", _SEARCH_INDEXES)
        most = _OLD_PAGES
        if self.version >= _FEWER_PAGES_SINCE:
            most = _PAGES_EVERYWHERE if index in {"All", "Blended"} else _PAGES
        page = self.sent.get("ItemPage", "1")
        if not _NUMBER.fullmatch(page) or not 1 <= int(page) <= most:
            yield refusal(ParameterOutOfRange, self.locale, name="ItemPage", least=1, most=most)

    def _enumerated(self, name: str, values: tuple[str, ...]) -> list[ECSError]:
        if self.sent.get(name, values[0]) in values:
            return []
        listed = ", ".join(f"'{value}'" for value in values)
        return [refusal(InvalidEnumeratedParameter, self.locale, name=name, values=listed)]


def read_item_call(
    parameters: Mapping[str, str], *, locale: str, access_key: str, own_groups: frozenset[str] = frozenset()
) -> ItemCall:
    """The call these parameters make in `locale`. What is wrong in it is found by `ItemCall.problems`."""
    operation = operation_of(parameters)
    return ItemCall(
        operation=operation,
        locale=locale,
        version=version_of(parameters),
        access_key=access_key,
        associate_tag=parameters.get("AssociateTag") or None,
        sent={name: parameters[name] for name in _ECHOED[operation] if parameters.get(name)},
        response_groups=read_groups(parameters.get("ResponseGroup", "")) or (_DEFAULT_GROUP,),
        own_groups=own_groups,
        only_validate=is_true(parameters.get("Validate")),
        escaped_twice=escaped_twice(parameters),
    )

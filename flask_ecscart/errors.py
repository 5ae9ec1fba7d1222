"""Everything that can go wrong, as one tree.

The most specific class is the one to catch::

    ECSCartError
    ├── ConfigError                      a setting is wrong: names key, value and fix
    ├── CatalogError                     a catalog file is wrong: names file, line and column
    ├── StateUnavailable                 the database (or Redis) is away; try again later
    ├── TransportError                   no usable answer came back
    │   ├── NotSent                      the request never left: safe to send again
    │   ├── OutcomeUnknown               it left, the answer was lost: it may have been applied
    │   └── MalformedReply               an answer came that is no ECS reply; it may have been applied
    └── ECSError                         an ECS service said no: carries code, message, request id
        ├── RequestRefused               the request itself is wrong; nothing was done
        │   ├── MissingParameters · ParameterOutOfRange · InvalidParameterCombination
        │   ├── InvalidParameterValue · InvalidEnumeratedParameter · InvalidResponseGroup
        │   ├── MinimumParameterRequirement · MaximumParameterRequirement · ExactParameterRequirement
        │   └── InvalidOperation · InvalidService · …
        ├── ItemError                    this item cannot go into this cart
        │   ├── ItemNotEligibleForCart · ItemNotAccessible · ItemAlreadyInCart
        │   └── InvalidQuantity · ExceededMaximumCartItems
        ├── DeadCart                     the cart reference leads nowhere: make a new cart
        │   └── CartInfoMismatch · InvalidCartId · InvalidHMAC
        ├── AccessRefused                the caller may not ask (key, signature, clock, account)
        │   └── InvalidClientTokenId · SignatureDoesNotMatch · RequestExpired · …
        ├── RequestThrottled             too fast: slow down
        ├── AccountLimitExceeded         the account's hourly or daily budget is spent
        └── InternalError                the service failed, or the cart ids are wrong (seed 004)

`ERROR_CLASSES` maps the wire's code to its class: one dict, no if-chain. Codes come from the cart
documents (seed 004) and from recorded replies; a code that is not in it becomes a plain `ECSError`.
"""

from __future__ import annotations

__all__ = [
    "ERROR_CLASSES",
    "AccessRefused",
    "AccountLimitExceeded",
    "CartInfoMismatch",
    "CatalogError",
    "ConfigError",
    "DeadCart",
    "ECSCartError",
    "ECSError",
    "ExactParameterRequirement",
    "ExceededMaximumCartItems",
    "FeatureDeprecated",
    "InternalError",
    "InvalidAccount",
    "InvalidAssociate",
    "InvalidCartId",
    "InvalidClientTokenId",
    "InvalidEnumeratedParameter",
    "InvalidHMAC",
    "InvalidISO8601Time",
    "InvalidOperation",
    "InvalidOperationForMarketplace",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "InvalidQuantity",
    "InvalidResponseGroup",
    "InvalidService",
    "ItemAlreadyInCart",
    "ItemError",
    "ItemNotAccessible",
    "ItemNotEligibleForCart",
    "MalformedReply",
    "MaximumParameterRequirement",
    "MinimumParameterRequirement",
    "MissingClientTokenId",
    "MissingParameterCombination",
    "MissingParameters",
    "NotSent",
    "OutcomeUnknown",
    "ParameterOutOfRange",
    "ParameterRepeated",
    "RequestExpired",
    "RequestRefused",
    "RequestThrottled",
    "SignatureDoesNotMatch",
    "StateUnavailable",
    "TransportError",
    "error_from_code",
]


class ECSCartError(Exception):
    """Root of the tree; catch it to catch everything this package raises on purpose."""


class ConfigError(ECSCartError):
    """A setting is unknown, missing or wrong.

    `key` is the full name (`ECSCART_…`), `value` what was found (secrets are never put here),
    `fix` the sentence that tells the reader what to do.
    """

    def __init__(self, key: str, value: object, fix: str) -> None:
        self.key = key
        self.value = value
        self.fix = fix
        shown = "is not set" if value is None else f"= {value!r} cannot be used"
        super().__init__(f"{key} {shown}. {fix}")


class CatalogError(ECSCartError):
    """A catalog file cannot be read. `line` counts from 1 (the header), `column` is the column's name."""

    def __init__(self, path: str, line: int | None, column: str | None, problem: str) -> None:
        self.path = path
        self.line = line
        self.column = column
        self.problem = problem
        where = path
        if line is not None:
            where += f", line {line}"
        if column is not None:
            where += f', column "{column}"'
        super().__init__(f"{where}: {problem}")


class StateUnavailable(ECSCartError):
    """The database or Redis does not answer. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class TransportError(ECSCartError):
    """No usable answer came back from an ECS endpoint. Never carries a URL, key or HMAC."""


class NotSent(TransportError):
    """The connection could not be made, so nothing was applied; the same call may be sent again."""


class OutcomeUnknown(TransportError):
    """The request left but its answer was lost: it may or may not have been applied. Read before repeating."""


class MalformedReply(TransportError):
    """The endpoint answered with something that is not an ECS reply. The call may have been applied."""


class ECSError(ECSCartError):
    """An ECS service refused. `code` is the wire's code, `message` its text, `request_id` its reference."""

    code: str = ""
    others: tuple[ECSError, ...] = ()
    """The further errors of the same reply, in its order."""

    def __init__(self, message: str, *, code: str | None = None, request_id: str | None = None) -> None:
        self.message = message
        self.request_id = request_id
        if code is not None:
            self.code = code
        note = f" (request {request_id})" if request_id else ""
        super().__init__(f"{self.code}: {message}{note}")


class RequestRefused(ECSError):
    """The request itself is wrong (IsValid False). Nothing was done; correct it before sending again."""


class MissingParameters(RequestRefused):
    """A required parameter is missing."""

    code = "AWS.MissingParameters"


class MissingParameterCombination(RequestRefused):
    """One of several required sets of parameters is missing."""

    code = "AWS.MissingParameterCombination"


class ParameterOutOfRange(RequestRefused):
    """A quantity lies outside 1–999 (create, add) or 0–999 (modify)."""

    code = "AWS.ParameterOutOfRange"


class InvalidParameterCombination(RequestRefused):
    """Two parameters exclude each other, such as ASIN and OfferListingId on one line."""

    code = "AWS.InvalidParameterCombination"


class InvalidParameterValue(RequestRefused):
    """A parameter has a value the service does not know."""

    code = "AWS.InvalidParameterValue"


class InvalidEnumeratedParameter(RequestRefused):
    """A parameter has a value outside its fixed list (Action, ResponseGroup)."""

    code = "AWS.InvalidEnumeratedParameter"


class InvalidResponseGroup(RequestRefused):
    """A response group is not valid for the operation."""

    code = "AWS.InvalidResponseGroup"


class MinimumParameterRequirement(RequestRefused):
    """At least one of several parameters is needed."""

    code = "AWS.MinimumParameterRequirement"


class MaximumParameterRequirement(RequestRefused):
    """At most n of several parameters may be there."""

    code = "AWS.MaximumParameterRequirement"


class ExactParameterRequirement(RequestRefused):
    """Exactly one of several parameters must be there (Quantity or Action, recorded JP 2016)."""

    code = "AWS.ExactParameterRequirement"


class ParameterRepeated(RequestRefused):
    """A parameter appeared more than once."""

    code = "AWS.ParameterRepeatedInRequest"


class InvalidISO8601Time(RequestRefused):
    """A date (Version, Timestamp) is not ISO 8601."""

    code = "AWS.InvalidISO8601Time"


class InvalidOperation(RequestRefused):
    """The Operation parameter is missing or names no operation."""

    code = "AWS.InvalidOperationParameter"


class InvalidService(RequestRefused):
    """The Service parameter is missing or is not AWSECommerceService."""

    code = "AWS.InvalidServiceParameter"


class InvalidOperationForMarketplace(RequestRefused):
    """The operation does not exist in this locale."""

    code = "AWS.InvalidOperationForMarketplace"


class FeatureDeprecated(RequestRefused):
    """The feature was switched off."""

    code = "Deprecated"


class ItemError(ECSError):
    """An item cannot go into this cart as asked; the rest of the cart is untouched."""


class ItemNotEligibleForCart(ItemError):
    """A parent ASIN, a digital item, or an ASIN nobody knows: it cannot be put into a cart."""

    code = "AWS.ECommerceService.ItemNotEligibleForCart"


class ItemNotAccessible(ItemError):
    """The item is sold by someone who does not take part in the service."""

    code = "AWS.ECommerceService.ItemNotAccessible"


class ItemAlreadyInCart(ItemError):
    """CartAdd of an item that is in the cart; its quantity stays. Use CartModify."""

    code = "AWS.ECommerceService.ItemAlreadyInCart"


class InvalidQuantity(ItemError):
    """Not a number, or (beside a full cart) more than the limit: the quantity was capped."""

    code = "AWS.ECommerceService.InvalidQuantity"


class ExceededMaximumCartItems(ItemError):
    """A cart holds at most 50 entries; nothing was added."""

    code = "AWS.ECommerceService.ExceededMaximumCartItems"


class DeadCart(ECSError):
    """The cart reference leads nowhere: expired, handed off, or wrong. Create a new cart."""


class CartInfoMismatch(DeadCart):
    """CartId, HMAC and Associate tag do not belong together (recorded since 2008)."""

    code = "AWS.ECommerceService.CartInfoMismatch"


class InvalidCartId(DeadCart):
    """The cart is expired or was handed off."""

    code = "AWS.ECommerceService.InvalidCartId"


class InvalidHMAC(DeadCart):
    """The HMAC is wrong, most often because its plus signs were not sent as %2B."""

    code = "AWS.ECommerceService.InvalidHMAC"


class AccessRefused(ECSError):
    """The caller may not ask: wrong key, signature, clock or account."""


class InvalidClientTokenId(AccessRefused):
    """The access key is unknown."""

    code = "InvalidClientTokenId"


class MissingClientTokenId(AccessRefused):
    """No access key was sent."""

    code = "MissingClientTokenId"


class SignatureDoesNotMatch(AccessRefused):
    """The signature was not made with this secret over these parameters."""

    code = "SignatureDoesNotMatch"


class RequestExpired(AccessRefused):
    """The Timestamp lies outside the 15-minute window: check the clock."""

    code = "RequestExpired"


class InvalidAssociate(AccessRefused):
    """The key is not registered as an Associate."""

    code = "AWS.InvalidAssociate"


class InvalidAccount(AccessRefused):
    """The key is not registered for the service."""

    code = "AWS.InvalidAccount"


class RequestThrottled(ECSError):
    """Too many transactions; `retry_after` (seconds) when the service said so."""

    code = "RequestThrottled"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, request_id=request_id)
        self.retry_after = retry_after


class AccountLimitExceeded(ECSError):
    """The account's hourly or daily budget is spent."""

    code = "AccountLimitExceeded"


class InternalError(ECSError):
    """The service failed; may in fact mean that CartId or HMAC are wrong (seed 004)."""

    code = "AWS.InternalError"


ERROR_CLASSES: dict[str, type[ECSError]] = {
    **{
        cls.code: cls
        for cls in (
            AccountLimitExceeded,
            CartInfoMismatch,
            ExactParameterRequirement,
            ExceededMaximumCartItems,
            FeatureDeprecated,
            InternalError,
            InvalidAccount,
            InvalidAssociate,
            InvalidCartId,
            InvalidClientTokenId,
            InvalidEnumeratedParameter,
            InvalidHMAC,
            InvalidISO8601Time,
            InvalidOperation,
            InvalidOperationForMarketplace,
            InvalidParameterCombination,
            InvalidParameterValue,
            InvalidQuantity,
            InvalidResponseGroup,
            InvalidService,
            ItemAlreadyInCart,
            ItemNotAccessible,
            ItemNotEligibleForCart,
            MaximumParameterRequirement,
            MinimumParameterRequirement,
            MissingClientTokenId,
            MissingParameterCombination,
            MissingParameters,
            ParameterOutOfRange,
            ParameterRepeated,
            RequestExpired,
            RequestThrottled,
            SignatureDoesNotMatch,
        )
    },
    # Other spellings of the same thing, as recorded or documented.
    "InternalError": InternalError,
    "AWS.MissingOperationParameter": InvalidOperation,
    "AWS.MissingServiceParameter": InvalidService,
    "AWS.InvalidSubscriptionId": InvalidClientTokenId,
    "AWS.InvalidAccessKeyId": InvalidClientTokenId,
    "AWS.ExceededMaximumParameterValues": MaximumParameterRequirement,
    "AWS.InsufficientParameterValues": MinimumParameterRequirement,
    "AWS.MissingParameterValueCombination": MissingParameterCombination,
    "AWS.RestrictedParameterValueCombination": InvalidParameterCombination,
    "AWS.XSLTTransformationError": InvalidParameterValue,
}


def error_from_code(code: str, message: str, *, request_id: str | None = None) -> ECSError:
    """The exception for a wire `code`; a plain `ECSError` for a code nobody documented."""
    return ERROR_CLASSES.get(code, ECSError)(message, code=code, request_id=request_id)

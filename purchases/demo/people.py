"""The demo's resellers, their users and their accounts."""

from collections.abc import Iterable

from django.contrib.auth.hashers import check_password, make_password

from accounts.models import Account, Reseller, User
from products.models import Package

PASSWORD = "demo"  # noqa: S105 - everybody may know it; see the refusal in seed_demo


def set_up_resellers() -> dict[str, Reseller]:
    """The resellers by slug."""
    resellers = [
        set_up_reseller("bosphorus-displays", "Bosphorus Displays", language=Reseller.Language.ENGLISH),
        set_up_reseller("anadolu-screens", "Anadolu Screens", language=Reseller.Language.TURKISH),
    ]
    return {reseller.slug: reseller for reseller in resellers}


def set_up_reseller(slug: str, name: str, *, language: str, time_zone: str = "Europe/Istanbul") -> Reseller:
    return Reseller.objects.update_or_create(
        slug=slug, defaults={"name": name, "language": language, "time_zone": time_zone, "is_active": True}
    )[0]


def set_up_users(resellers: dict[str, Reseller]) -> dict[str, User]:
    """The users by e-mail, who all sign in with the demo's password."""
    bosphorus, anadolu = resellers["bosphorus-displays"], resellers["anadolu-screens"]
    users = [
        set_up_user("admin@example.com", "Deniz Öztürk", reseller=None),
        set_up_user("buyer@example.com", "Ayşe Yılmaz", reseller=bosphorus),
        set_up_user("viewer@example.com", "Burak Şahin", reseller=bosphorus),
        set_up_user("other@example.com", "Zeynep Çelik", reseller=anadolu),
    ]
    give_demo_password(users)
    return {user.email: user for user in users}


def set_up_user(email: str, full_name: str, *, reseller: Reseller | None) -> User:
    """A user of the reseller; without one, an operator who may do everything."""
    is_operator = reseller is None
    return User.objects.update_or_create(
        email=email,
        defaults={
            "full_name": full_name,
            "reseller": reseller,
            "is_active": True,
            "is_staff": is_operator,
            "is_superuser": is_operator,
        },
    )[0]


def give_demo_password(users: Iterable[User]) -> None:
    """Let the users sign in with the demo's password.

    Hashing is slow on purpose, so they share one hash. Who has the password already keeps the hash,
    and with it the session.
    """
    hashes = {user.password for user in users if user.password}
    right = sorted(hashed for hashed in hashes if check_password(PASSWORD, hashed))
    without = [user.pk for user in users if user.password not in right]
    if without:
        User.objects.filter(pk__in=without).update(password=right[0] if right else make_password(PASSWORD))


def set_up_accounts(resellers: dict[str, Reseller], packages: dict[str, Package]) -> dict[str, Account]:
    """The accounts by reference."""
    bosphorus, anadolu = resellers["bosphorus-displays"], resellers["anadolu-screens"]
    starter, professional = packages["starter"], packages["professional"]
    accounts = [
        _account("ACC-01", "Boğaziçi Lojistik A.Ş.", bosphorus, package=professional),
        _account("ACC-02", "İstanbul Taşımacılık Şirketi", bosphorus, package=starter),
        _account("ACC-03", "Çınar Hastaneleri", bosphorus, package=None),
        _account("ACC-04", "Gündoğdu Kitabevi", bosphorus, package=starter, tier=Account.Tier.TRIAL),
        _account("ACC-05", "Galata Harbor Hotel", bosphorus, package=professional, is_active=False),
        _account("ANA-01", "Kapadokya Balon Turizm", anadolu, package=professional),
    ]
    return {account.reference: account for account in accounts}


def _account(
    reference: str,
    name: str,
    reseller: Reseller,
    *,
    package: Package | None,
    tier: str = Account.Tier.PAID,
    is_active: bool = True,
) -> Account:
    return Account.objects.update_or_create(
        reseller=reseller,
        reference=reference,
        defaults={"name": name, "package": package, "tier": tier, "is_active": is_active},
    )[0]

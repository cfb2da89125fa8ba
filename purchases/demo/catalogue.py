"""The demo's packages and products."""

from products.models import Package, Product


def set_up_packages() -> dict[str, Package]:
    """The packages by code."""
    names = {"starter": "Starter", "professional": "Professional"}
    return {
        code: Package.objects.update_or_create(code=code, defaults={"name": name})[0] for code, name in names.items()
    }


def set_up_products(packages: dict[str, Package]) -> dict[str, Product]:
    """The products by SKU."""
    products = [
        _product("DEV-STD", "Standard device", "One screen or player, with remote management and updates."),
        _product(
            "DEV-PRO",
            "Professional device",
            "A standard device with scheduling, playback reports and priority support.",
            package=packages["professional"],
        ),
        _product("DEV-MAX", "Video-wall device", "One controller that drives a wall of up to sixteen screens."),
        _product("DEV-OLD", "Retired device", "The first generation of players. No longer sold.", is_active=False),
    ]
    return {product.sku: product for product in products}


def _product(
    sku: str, name: str, description: str, *, package: Package | None = None, is_active: bool = True
) -> Product:
    return Product.objects.update_or_create(
        sku=sku,
        defaults={
            "name": name,
            "kind": Product.Kind.DEVICE,
            "description": description,
            "package": package,
            "is_active": is_active,
        },
    )[0]

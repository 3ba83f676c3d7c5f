"""The shop at a node whose people a provider of sign-ins knows."""
import json
import shutil

from node import ROOT, Node

SHOP = ROOT / "tests" / "support" / "shop"


class KnownToProvider:
    """What test classes share: group:analysts, of the members that the provider tells, may read the orders."""

    @classmethod
    def open(cls, issuer: str, *members: str):
        cls.node = Node("--oidc-issuer", issuer, "--oidc-audience", "weft")
        cls.node.start()
        cls.addClassCleanup(cls.node.__exit__)
        cls.mesh = cls.node.folder / "mesh"
        shutil.copytree(SHOP, cls.mesh)
        cls.map_groups(*members)
        cls.node.run("run", "sales/orders")
        cls.node.run("grant", "group:analysts", "sales/orders/orders@1")

    @classmethod
    def map_groups(cls, *members: str):
        (cls.mesh / "mesh.yaml").write_text((SHOP / "mesh.yaml").read_text() + f"  analysts: {json.dumps(list(members))}\n")
        cls.node.run("apply", str(cls.mesh))

    def rows(self, token: str) -> int:
        with self.node.adbc(token) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) AS n FROM sales.orders.orders")
            return cursor.fetchone()[0]

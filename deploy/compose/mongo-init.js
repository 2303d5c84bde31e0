// Initiates the replica set and makes the user that Authsome connects as; safe to repeat. For mongosh, as root.
const secret = (name) => require("fs").readFileSync(`${process.env.SECRETS ?? "/run/secrets"}/${name}`, "utf8").trim();
const member = process.env.MEMBER ?? "mongo:27017";
const admin = db.getSiblingDB("admin");
admin.auth("root", secret("mongo_root_password"));

if (!admin.hello().setName) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: member }] });
}
for (let waited = 0; !admin.hello().isWritablePrimary; waited += 1) {
  if (waited === 60) throw new Error("no primary after a minute");
  sleep(1000);
}

// `readWrite` on its own database is all that the server needs: collections, indexes, change streams, transactions.
const authsome = db.getSiblingDB("authsome");
const user = { pwd: secret("mongo_password"), roles: [{ role: "readWrite", db: "authsome" }] };
if (authsome.getUser("authsome")) authsome.updateUser("authsome", user);
else authsome.createUser({ user: "authsome", ...user });

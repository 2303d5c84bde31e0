"""A server made with fastapi-users and beanie, as its documentation shows it; says where it is as one line of JSON.

    server.py URL default|bcrypt COST

What differs from the defaults: writes are as durable as those that it is compared with (majority and journaled).
"""

import json
import platform
import socket
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version

import uvicorn
from beanie import PydanticObjectId, init_beanie
from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_beanie import BeanieBaseUser, BeanieUserDatabase, ObjectIDIDMixin
from beanie import Document
from pwdlib import PasswordHash
from pwdlib.hashers.bcrypt import BcryptHasher
from pymongo import AsyncMongoClient

URL, HASH, COST = sys.argv[1], sys.argv[2], int(sys.argv[3])
SECRET = "a secret of the benchmark, 32 characters at least"


class User(BeanieBaseUser, Document):
    pass


class UserRead(schemas.BaseUser[PydanticObjectId]):
    pass


class UserCreate(schemas.BaseUserCreate):
    pass


class UserManager(ObjectIDIDMixin, BaseUserManager[User, PydanticObjectId]):
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def users():
    yield BeanieUserDatabase(User)


async def manager(database=Depends(users)):
    helper = PasswordHelper(PasswordHash((BcryptHasher(rounds=COST),))) if HASH == "bcrypt" else None
    yield UserManager(database, helper)


bearer = AuthenticationBackend(
    name="jwt",
    transport=BearerTransport(tokenUrl="auth/jwt/login"),
    get_strategy=lambda: JWTStrategy(secret=SECRET, lifetime_seconds=24 * 3600),
)
accounts = FastAPIUsers[User, PydanticObjectId](manager, [bearer])


@asynccontextmanager
async def lifespan(_: FastAPI):
    database = AsyncMongoClient(URL, w="majority", journal=True).get_default_database()
    await init_beanie(database=database, document_models=[User])
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(accounts.get_auth_router(bearer), prefix="/auth/jwt")
app.include_router(accounts.get_register_router(UserRead, UserCreate), prefix="/auth")


@app.get("/users/me", response_model=UserRead)
async def me(user: User = Depends(accounts.current_user(active=True))):
    return user


class Server(uvicorn.Server):
    """Says where it is once it answers."""

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        how = f"bcrypt {version('bcrypt')}, cost {COST}" if HASH == "bcrypt" else "argon2id m=64 MiB t=3 p=4"
        what = (
            f"fastapi-users {version('fastapi-users')}, beanie {version('beanie')}, uvicorn {version('uvicorn')}, "
            f"Python {platform.python_version()}; {how}"
        )
        host, port = sockets[0].getsockname()
        print(json.dumps({"address": f"{host}:{port}", "what": what}), flush=True)


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listener])

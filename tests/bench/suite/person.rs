//! People with an account on the server that is measured, and what they ask.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use authsome::kernel::id::UserId;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::load::{Asker, Askers, Heard};
use crate::server::Running;

/// Somebody who is signed in; his tokens are those that he was given last.
#[derive(Debug)]
pub struct Person {
    pub number: usize,
    pub access: RefCell<String>,
    refresh: RefCell<String>,
    user: Cell<Option<UserId>>,
    /// Access tokens that he has shown to nobody yet.
    pub unseen: RefCell<Vec<String>>,
}

impl Person {
    pub fn new(number: usize) -> Rc<Self> {
        Rc::new(Self {
            number,
            access: RefCell::default(),
            refresh: RefCell::default(),
            user: Cell::default(),
            unseen: RefCell::default(),
        })
    }

    pub fn user(&self) -> UserId {
        self.user.get().expect("somebody who has an account")
    }

    /// The line of a request that says who he is.
    pub fn line(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.access.borrow())
    }

    /// Keeps what the answer to a sign-up, a sign-in or a refresh gives.
    fn keep(&self, told: &Value) -> bool {
        let text = |name: &str| told[name].as_str().map(str::to_owned);
        let (Some(access), Some(refresh)) = (text("access_token"), text("refresh_token")) else {
            return false;
        };
        let user = told["user"]["id"].as_str().and_then(|it| it.parse().ok());
        self.user.set(user.or(self.user.get()));
        self.access.replace(access);
        self.refresh.replace(refresh);
        true
    }
}

/// Where a question goes.
#[derive(Debug, Clone)]
pub struct Post {
    head: Rc<str>,
}

impl Post {
    /// Everything of a request to `path` but its length and its body.
    pub fn to(running: &Running, path: &str) -> Self {
        let whole = running.post(path, &Value::Null);
        let text = String::from_utf8(whole).expect("a request");
        let (head, _) = text.split_once("Content-Length").expect("a body");
        Self { head: head.into() }
    }

    pub fn write(&self, body: &Value, into: &mut Vec<u8>) {
        let body = body.to_string();
        into.extend_from_slice(self.head.as_bytes());
        let rest = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        into.extend_from_slice(rest.as_bytes());
    }
}

/// People who wait for somebody to ask for them.
pub type Queue = Rc<RefCell<Vec<Rc<Person>>>>;

pub fn queue(people: &[Rc<Person>]) -> Queue {
    Rc::new(RefCell::new(people.to_vec()))
}

/// Makes accounts for people, one after another.
#[derive(Debug)]
pub struct Joining {
    pub queue: Queue,
    pub post: Post,
    person: Option<Rc<Person>>,
}

impl Joining {
    /// For all of the queue, so many at once.
    pub fn some(count: usize, running: &Running, people: &[Rc<Person>]) -> Askers {
        let (queue, post) = (queue(people), Post::to(running, "/v1/signup"));
        let one = |_| {
            let one: Box<dyn Asker> = Box::new(Self {
                queue: queue.clone(),
                post: post.clone(),
                person: None,
            });
            one
        };
        (0..count).map(one).collect()
    }
}

impl Asker for Joining {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        self.person = self.queue.borrow_mut().pop();
        let Some(person) = &self.person else {
            return false;
        };
        self.post.write(&Running::account(person.number), request);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        let keeps = |person: &Rc<Person>| person.keep(&answer.json());
        Heard::by(answer, 201).if_also(|| self.person.as_ref().is_some_and(keeps))
    }
}

/// Asks for one after another who he is.
#[derive(Debug)]
pub struct AskingAll {
    pub host: String,
    pub queue: Queue,
}

impl Asker for AskingAll {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(person) = self.queue.borrow_mut().pop() else {
            return false;
        };
        write_me(&self.host, &person.access.borrow(), request);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        Heard::by(answer, 200)
    }
}

fn write_me(host: &str, token: &str, request: &mut Vec<u8>) {
    let text =
        format!("GET /v1/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    request.extend_from_slice(text.as_bytes());
}

/// Exchanges one refresh token for the next.
#[derive(Debug)]
pub struct Refreshing {
    pub person: Rc<Person>,
    pub post: Post,
    /// How many of the access tokens that come are put by, in [`Person::unseen`]; none where all
    /// are shown, for as long as they are good.
    pub wanted: Option<usize>,
}

impl Asker for Refreshing {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let token = self.person.refresh.borrow();
        let body = json!({ "refresh_token": *token });
        self.post.write(&body, request);
        let unseen = self.person.unseen.borrow().len();
        self.wanted.is_none_or(|wanted| unseen < wanted)
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        let heard = Heard::by(answer, 200).if_also(|| self.person.keep(&answer.json()));
        if heard == Heard::Right && self.wanted.is_some() {
            let access = self.person.access.borrow().clone();
            self.person.unseen.borrow_mut().push(access);
        }
        heard
    }
}

/// Somebody who asks who he is, with a token that he has not shown yet.
#[derive(Debug)]
pub struct Showing {
    pub host: String,
    pub person: Rc<Person>,
}

impl Asker for Showing {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(token) = self.person.unseen.borrow_mut().pop() else {
            return false;
        };
        write_me(&self.host, &token, request);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        Heard::by(answer, 200)
    }
}

//! Letters: queued with what they tell, delivered by any node.

use authsome::kernel::id::VerificationId;
use authsome::kernel::language::Language;
use authsome::kernel::tenant::Tenant;
use authsome::kernel::text::Email;
use authsome::notifications::{Letter, Message};
use authsome::store::Stored;

use crate::support::app::{Door, TestApp};
use crate::support::stores::on_both_stores;

fn tenant(door: &Door) -> Tenant {
    Tenant {
        app_id: door.app_id.parse().expect("an app"),
        env_id: door.env_id.parse().expect("an environment"),
    }
}

impl TestApp {
    /// Queues a letter as a unit of work does.
    async fn queues(&self, letter: Letter) {
        let (foundation, tenant) = (self.foundation(), tenant(&self.own.development));
        let queued = self.store().write(async |tx| -> Stored<()> {
            let mut tx = tx.within(tenant);
            foundation
                .links
                .outbox
                .enqueue(&mut tx, letter.clone(), self.clock.now())
                .await
        });
        queued.await.expect("a letter can be queued");
        foundation.links.outbox.hurry();
    }
}

fn to(address: &str, message: Message) -> Letter {
    Letter {
        user: None,
        to: Email::parse(address).expect("an address"),
        language: Language::English,
        message,
    }
}

on_both_stores! {
    async fn a_queued_letter_is_sent_with_its_link_and_code(app: TestApp) {
        let id = VerificationId::new(app.clock.now(), &app.foundation().world.entropy);
        let expires_at = app.clock.now().plus(std::time::Duration::from_hours(24));

        app.queues(to("mia@example.org", Message::VerifyEmail { verification_id: id, expires_at })).await;

        let letter = app.letter_to("mia@example.org").await;
        println!("{}\n{}", letter.raw, letter.text);
        assert!(letter.link().contains("/pages/verify-email?token="), "{}", letter.link());
        assert_eq!(letter.token().len(), 43);
        let links = &app.foundation().links;
        assert!(links.tokens.is_code(authsome::tokens::Purpose::VerifyEmail, id, &letter.code()));
    }
}

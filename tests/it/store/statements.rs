//! Every SQL text is prepared on both databases.

use kith::store::insert::Placeholders;
use kith::store::statements::{POSTGRES_ONLY, inserts, texts};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _};

use crate::support::both;

both! {
    async fn every_text_is_prepared(database) {
        let store = database.open().await;
        let mut all: Vec<(String, String)> =
            texts().into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let style = if database.is_postgres() { Placeholders::Numbered } else { Placeholders::Plain };
        for insert in inserts() {
            all.extend([1, 2, 256].map(|rows| (insert.table().to_owned(), insert.text(rows, style).to_string())));
        }
        if database.is_postgres() {
            all.extend(POSTGRES_ONLY.map(|sql| ("dialect".to_owned(), sql.to_owned())));
            let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
            for (name, text) in all {
                let prepared = (&mut connection).prepare(AssertSqlSafe(text).into_sql_str()).await;
                assert!(prepared.is_ok(), "{name}: {prepared:?}");
            }
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
            for (name, text) in all {
                let prepared = (&mut connection).prepare(AssertSqlSafe(text).into_sql_str()).await;
                assert!(prepared.is_ok(), "{name}: {prepared:?}");
            }
        }
        store.close().await;
    }
}

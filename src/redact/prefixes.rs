//! How credentials begin that are one word, as data: prefix, the least letters behind it, what they are.
//!
//! A word is looked up once, so a row here costs nothing where it does not stand. What has spaces, dots or
//! a form that goes on behind the word has a rule in `rules.rs`.

use std::sync::LazyLock;

/// What follows a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Letters, digits, `_` and `-`.
    Word,
    /// The same, but letters and digits as no name has them: the prefix alone says little.
    Mixed,
    /// Hexadecimal digits.
    Hex,
    /// Capital letters and digits.
    Capitals,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
}

/// A prefix and what it means.
#[derive(Debug)]
pub(super) struct Prefix {
    pub(super) text: &'static str,
    /// The least letters behind it.
    pub(super) least: usize,
    pub(super) body: Body,
    /// What the placeholder says.
    pub(super) name: &'static str,
}

const fn of(text: &'static str, least: usize, body: Body, name: &'static str) -> Prefix {
    Prefix { text, least, body, name }
}

use Body::{Base64, Capitals, Hex, Mixed, Word};

/// At the beginning of a word or behind what joins its parts. In the order of their bytes, longer ones first
/// where one begins another.
#[rustfmt::skip] // A row a line.
pub(super) static PREFIXES: &[Prefix] = &[
    of("AGE-SECRET-KEY-1", 40, Capitals, "age-key"),
    of("AIza", 35, Word, "google-api-key"),
    of("AKCp", 40, Mixed, "artifactory-key"),
    of("AKIA", 16, Capitals, "aws-access-key"),
    of("APKA", 16, Capitals, "aws-access-key"),
    of("AQVN", 30, Mixed, "yandex-key"),
    of("ASIA", 16, Capitals, "aws-access-key"),
    of("ATATT3", 30, Word, "atlassian-token"),
    of("ATBB", 24, Mixed, "bitbucket-token"),
    of("ATCTT3", 30, Word, "atlassian-token"),
    of("ATTA", 30, Mixed, "trello-token"),
    of("BSA", 24, Mixed, "brave-key"),
    of("CCIPAT_", 20, Word, "circleci-token"),
    of("CCIPRJ_", 20, Word, "circleci-token"),
    of("CFPAT-", 30, Word, "contentful-token"),
    of("CLOJARS_", 20, Word, "clojars-token"),
    of("EAACEdEose0cBA", 20, Word, "facebook-token"),
    of("EZAK", 30, Mixed, "easypost-key"),
    of("EZTK", 30, Mixed, "easypost-key"),
    of("FLWSECK", 20, Mixed, "flutterwave-key"),
    of("GOCSPX-", 20, Word, "google-oauth-secret"),
    of("HRKU-", 30, Word, "heroku-key"),
    of("LTAI", 16, Mixed, "alibaba-key"),
    of("NRAA-", 20, Word, "newrelic-key"),
    of("NRAK-", 20, Word, "newrelic-key"),
    of("NRII-", 20, Word, "newrelic-key"),
    of("PMAK-", 40, Word, "postman-key"),
    of("SK", 32, Hex, "twilio-key"),
    of("access-development-", 30, Word, "plaid-token"),
    of("access-production-", 30, Word, "plaid-token"),
    of("access-sandbox-", 30, Word, "plaid-token"),
    of("apify_api_", 30, Word, "apify-token"),
    of("bkua_", 30, Word, "buildkite-token"),
    of("cfat_", 40, Mixed, "cloudflare-token"),
    of("cfut_", 40, Mixed, "cloudflare-token"),
    of("cio", 32, Mixed, "crates-token"),
    of("crsr_", 40, Word, "cursor-key"),
    of("csk-", 40, Mixed, "cerebras-key"),
    of("ctp_", 30, Word, "cloudtruth-key"),
    of("dapi", 32, Hex, "databricks-token"),
    of("dckr_oat_", 20, Word, "docker-token"),
    of("dckr_pat_", 20, Word, "docker-token"),
    of("ddo_", 30, Mixed, "deno-token"),
    of("ddp_", 30, Mixed, "deno-token"),
    of("ddw_", 30, Mixed, "deno-token"),
    of("dnkey-", 40, Word, "defined-key"),
    of("do_v1_", 60, Hex, "digitalocean-token"),
    of("doo_v1_", 60, Hex, "digitalocean-token"),
    of("dop_v1_", 60, Hex, "digitalocean-token"),
    of("dor_v1_", 60, Hex, "digitalocean-token"),
    of("duffel_live_", 30, Word, "duffel-token"),
    of("duffel_test_", 30, Word, "duffel-token"),
    of("e2b_", 30, Hex, "e2b-key"),
    of("fc-", 32, Hex, "firecrawl-key"),
    of("figd_", 40, Word, "figma-token"),
    of("figo", 40, Mixed, "figma-token"),
    of("figu", 40, Mixed, "figma-token"),
    of("fio-u-", 30, Word, "frameio-token"),
    of("fm1r_", 20, Base64, "fly-token"),
    of("fm2_", 20, Base64, "fly-token"),
    of("fo1_", 30, Word, "fly-token"),
    of("fw_", 20, Mixed, "fireworks-key"),
    of("github_pat_", 22, Word, "github-token"),
    of("gho_", 30, Word, "github-token"),
    of("ghp_", 30, Word, "github-token"),
    of("ghr_", 30, Word, "github-token"),
    of("ghs_", 30, Word, "github-token"),
    of("ghu_", 30, Word, "github-token"),
    of("glagent-", 20, Word, "gitlab-token"),
    of("glc_", 30, Base64, "grafana-token"),
    of("glcbt-", 20, Word, "gitlab-token"),
    of("gldt-", 20, Word, "gitlab-token"),
    of("glffct-", 20, Word, "gitlab-token"),
    of("glft-", 20, Word, "gitlab-token"),
    of("glimt-", 20, Word, "gitlab-token"),
    of("gloas-", 20, Word, "gitlab-token"),
    of("glpat-", 20, Word, "gitlab-token"),
    of("glptt-", 20, Word, "gitlab-token"),
    of("glrt-", 20, Word, "gitlab-token"),
    of("glsa_", 40, Word, "grafana-token"),
    of("glsoat-", 20, Word, "gitlab-token"),
    of("gsk_", 40, Word, "groq-key"),
    of("hcaik_", 30, Word, "honeycomb-key"),
    of("hf_", 30, Mixed, "huggingface-token"),
    of("ico-", 30, Mixed, "intercom-token"),
    of("ion_", 40, Mixed, "ionos-token"),
    of("jina_", 40, Word, "jina-key"),
    of("key-", 32, Hex, "mailgun-key"),
    of("lin_api_", 40, Word, "linear-key"),
    of("lin_oauth_", 40, Word, "linear-key"),
    of("live_", 38, Mixed, "gocardless-token"),
    of("llx-", 30, Mixed, "llamacloud-key"),
    of("lsv2_pt_", 30, Word, "langsmith-key"),
    of("lsv2_sk_", 30, Word, "langsmith-key"),
    of("mdb_sa_sk_", 20, Word, "mongodb-key"),
    of("napi_", 30, Mixed, "neon-key"),
    of("nfp_", 30, Word, "netlify-token"),
    of("npm_", 36, Word, "npm-token"),
    of("ntn_", 40, Word, "notion-token"),
    of("nvapi-", 40, Word, "nvidia-key"),
    of("oauth2_", 30, Mixed, "oauth-token"),
    of("ops_eyJ", 30, Word, "onepassword-token"),
    of("oy2", 43, Mixed, "nuget-key"),
    of("p8e-", 28, Word, "adobe-secret"),
    of("pa-", 40, Mixed, "voyage-key"),
    of("packagist_", 30, Word, "packagist-token"),
    of("pat-eu1-", 30, Word, "hubspot-token"),
    of("pat-na1-", 30, Word, "hubspot-token"),
    of("pcsk_", 30, Word, "pinecone-key"),
    of("phx_", 30, Word, "posthog-key"),
    of("pnu_", 30, Word, "prefect-key"),
    of("polar_oat_", 30, Mixed, "polar-token"),
    of("pplx-", 40, Word, "perplexity-key"),
    of("pscale_oauth_", 30, Word, "planetscale-token"),
    of("pscale_pw_", 30, Word, "planetscale-password"),
    of("pscale_tkn_", 30, Word, "planetscale-token"),
    of("pul-", 40, Hex, "pulumi-token"),
    of("pypi-", 50, Word, "pypi-token"),
    of("r8_", 30, Word, "replicate-token"),
    of("rdme_", 50, Word, "readme-key"),
    of("re_", 24, Mixed, "resend-key"),
    of("rk_live_", 10, Word, "stripe-key"),
    of("rk_prod_", 10, Word, "stripe-key"),
    of("rk_test_", 10, Word, "stripe-key"),
    of("rnd_", 28, Mixed, "render-key"),
    of("rootly_", 40, Hex, "rootly-token"),
    of("rpa_", 40, Mixed, "runpod-key"),
    of("rubygems_", 48, Hex, "rubygems-token"),
    of("rzp_live_", 12, Word, "razorpay-key"),
    of("rzp_test_", 12, Word, "razorpay-key"),
    of("sbp_", 40, Hex, "supabase-token"),
    of("sb_secret_", 20, Word, "supabase-token"),
    of("scw_", 30, Mixed, "scaleway-key"),
    of("secret_", 40, Mixed, "notion-token"),
    of("sgp_", 40, Word, "sourcegraph-token"),
    of("shippo_live_", 30, Word, "shippo-token"),
    of("shippo_test_", 30, Word, "shippo-token"),
    of("shpat_", 32, Hex, "shopify-token"),
    of("shpca_", 32, Hex, "shopify-token"),
    of("shppa_", 32, Hex, "shopify-token"),
    of("shpss_", 32, Hex, "shopify-token"),
    of("signkey-branch-", 32, Hex, "inngest-key"),
    of("signkey-prod-", 32, Hex, "inngest-key"),
    of("signkey-test-", 32, Hex, "inngest-key"),
    of("sk-admin-", 16, Word, "openai-key"),
    of("sk-ant-", 16, Word, "anthropic-key"),
    of("sk-lf-", 16, Word, "langfuse-key"),
    of("sk-or-v1-", 16, Word, "openai-key"),
    of("sk-proj-", 16, Word, "openai-key"),
    of("sk-svcacct-", 16, Word, "openai-key"),
    of("sk-", 16, Mixed, "openai-key"),
    of("sk_live_", 10, Word, "stripe-key"),
    of("sk_prod_", 10, Word, "stripe-key"),
    of("sk_test_", 10, Word, "stripe-key"),
    of("sk_", 40, Hex, "elevenlabs-key"),
    of("sm_pat_", 16, Word, "settlemint-token"),
    of("sntrys_", 30, Base64, "sentry-token"),
    of("sntryu_", 40, Hex, "sentry-token"),
    of("sq0atp-", 20, Word, "square-token"),
    of("sq0csp-", 30, Word, "square-secret"),
    of("sqa_", 40, Hex, "sonar-token"),
    of("sqp_", 40, Hex, "sonar-token"),
    of("squ_", 40, Hex, "sonar-token"),
    of("syt_", 30, Mixed, "matrix-token"),
    of("tfp_", 40, Word, "typeform-token"),
    of("tgp_v1_", 30, Word, "together-key"),
    of("tk-us-", 40, Word, "scalingo-token"),
    of("tr_dev_", 20, Mixed, "trigger-key"),
    of("tr_prod_", 20, Mixed, "trigger-key"),
    of("tskey-", 20, Word, "tailscale-key"),
    of("tvly-", 20, Word, "tavily-key"),
    of("vcp_", 24, Word, "vercel-token"),
    of("vercel_blob_rw_", 20, Word, "vercel-token"),
    of("waka_", 32, Hex, "wakatime-key"),
    of("whsec_", 20, Base64, "stripe-webhook-secret"),
    of("wpat_", 20, Mixed, "workos-token"),
    of("xaat-", 30, Word, "axiom-token"),
    of("xai-", 40, Word, "xai-key"),
    of("xapp-", 20, Word, "slack-token"),
    of("xapt-", 30, Word, "axiom-token"),
    of("xkeysib-", 40, Word, "brevo-key"),
    of("xoxa-", 10, Word, "slack-token"),
    of("xoxb-", 10, Word, "slack-token"),
    of("xoxc-", 10, Word, "slack-token"),
    of("xoxd-", 10, Base64, "slack-token"),
    of("xoxe-", 10, Word, "slack-token"),
    of("xoxo-", 10, Word, "slack-token"),
    of("xoxp-", 10, Word, "slack-token"),
    of("xoxr-", 10, Word, "slack-token"),
    of("xoxs-", 10, Word, "slack-token"),
    of("zpka_", 30, Mixed, "zuplo-key"),
];

/// Prefixes that end where the word begins: their dot is no part of a word.
pub(super) static BEFORE: &[Prefix] = &[
    of(".atlasv1.", 40, Word, "terraform-token"),
    of("SG.", 16, Word, "sendgrid-key"),
    of("dp.audit.", 30, Word, "doppler-token"),
    of("dp.ct.", 30, Word, "doppler-token"),
    of("dp.pt.", 30, Word, "doppler-token"),
    of("dp.sa.", 30, Word, "doppler-token"),
    of("dp.scim.", 30, Word, "doppler-token"),
    of("dp.st.", 30, Word, "doppler-token"),
    of("dt0c01.", 20, Capitals, "dynatrace-token"),
    of("dt0s01.", 20, Capitals, "dynatrace-token"),
    of("hvb.", 24, Word, "vault-token"),
    of("hvr.", 24, Word, "vault-token"),
    of("hvs.", 24, Word, "vault-token"),
    of("sl.", 60, Word, "dropbox-token"),
    of("ya29.", 20, Word, "google-access-token"),
];

/// The rows by the bytes that their prefixes begin with.
static BY_BYTE: LazyLock<[&'static [Prefix]; 256]> = LazyLock::new(|| {
    let first = |prefix: &Prefix| prefix.text.as_bytes().first().copied().map_or(0, usize::from);
    std::array::from_fn(|byte| {
        let from = PREFIXES.partition_point(|prefix| first(prefix) < byte);
        let to = PREFIXES.partition_point(|prefix| first(prefix) <= byte);
        PREFIXES.get(from..to).unwrap_or_default()
    })
});

/// The rows whose prefix begins with a byte.
pub(super) fn beginning_with(byte: u8) -> &'static [Prefix] {
    BY_BYTE.get(usize::from(byte)).copied().unwrap_or_default()
}

impl Body {
    /// Whether the byte may stand in it.
    pub(super) const fn holds(self, byte: u8) -> bool {
        match self {
            Self::Word | Self::Mixed => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Hex => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_they_are_looked_for() {
        for pair in PREFIXES.windows(2) {
            let (first, second) = (pair[0].text, pair[1].text);
            assert!(first.as_bytes()[0] <= second.as_bytes()[0], "{first} {second}");
            assert_ne!(first, second);
        }
        assert!(BEFORE.iter().all(|row| row.text.ends_with('.')), "they are looked for behind a dot alone");
        for (index, row) in PREFIXES.iter().enumerate() {
            let hidden = PREFIXES[..index].iter().find(|before| row.text.starts_with(before.text));
            assert!(hidden.is_none(), "{} is never reached: {hidden:?}", row.text);
            assert!(beginning_with(row.text.as_bytes()[0]).iter().any(|same| same.text == row.text));
        }
    }
}

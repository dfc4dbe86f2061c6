//! An event → what it asks for.
//!
//! Two kinds: the hook of a provisioning template, which somebody waits for, and a certificate that was registered just
//! in time, which comes through a rule on `$aws/events/certificates/registered/+` (AWS IoT Core Developer Guide,
//! "Pre-provisioning hooks", "Just-in-time registration").

use std::collections::BTreeMap;

use headgate::{Code, Error};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Whether a device may be provisioned. `None` where the question cannot be read.
    MayProvision(Option<Hook>),
    /// What becomes of a certificate.
    Registered(Registered),
}

/// A device that wants to be provisioned by a template.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hook {
    /// The certificate that it showed to ask.
    #[serde(default)]
    pub(crate) claim_certificate_id: Option<String>,
    /// The one that it is to have.
    pub(crate) certificate_id: String,
    pub(crate) template_arn: String,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
}

impl Hook {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.as_str()
    }

    /// The template's name: `arn:aws:iot:<region>:<account>:provisioningtemplate/<name>`.
    pub(crate) fn template(&self) -> &str {
        self.template_arn.rsplit_once(":provisioningtemplate/").map_or("", |(_, name)| name)
    }
}

/// A certificate that a device showed for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registered {
    pub(crate) certificate_id: String,
    pub(crate) ca_certificate_id: String,
    pub(crate) certificate_status: String,
    #[serde(default)]
    pub(crate) aws_account_id: Option<String>,
}

/// Reads an event.
///
/// # Errors
/// Poison: it is about a certificate, and not in the shape that such have. Whatever is asked by a hook is no error.
pub(crate) fn read(event: &[u8]) -> Result<Asked, Error> {
    let whole: Option<BTreeMap<&str, &RawValue>> = serde_json::from_slice(event).ok();
    if !whole.is_some_and(|fields| fields.contains_key("caCertificateId")) {
        return Ok(Asked::MayProvision(serde_json::from_slice(event).ok()));
    }
    let poison = |told: &str| {
        let told = format!("no event of a certificate that was registered: {told}");
        Error::poison(Code::InvalidEvent, told)
    };
    // serde's own text may quote what it found.
    let registered: Registered = serde_json::from_slice(event)
        .map_err(|error| poison(&format!("not its shape (line {}, column {})", error.line(), error.column())))?;
    for (name, id) in
        [("certificateId", &registered.certificate_id), ("caCertificateId", &registered.ca_certificate_id)]
    {
        if !is_id(id) {
            return Err(poison(&format!("{name} is not 64 hexadecimal digits")));
        }
    }
    Ok(Asked::Registered(registered))
}

/// Whether this is the id of a certificate: its SHA-256.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_two_kinds_are_told_apart() {
        let hook = json!({"certificateId": "c", "templateArn": "arn:aws:iot:eu-west-1:1:provisioningtemplate/fleet",
            "parameters": {"SerialNumber": "A-1", "Size": 3}, "clientId": "x"});
        let Ok(Asked::MayProvision(Some(read_hook))) = read(hook.to_string().as_bytes()) else { panic!("{hook}") };
        assert_eq!((read_hook.template(), read_hook.parameter("SerialNumber")), ("fleet", Some("A-1")));
        assert_eq!((read_hook.parameter("Size"), read_hook.parameter("x")), (None, None));
        for unreadable in ["", "null", "[]", "{}", r#"{"certificateId":1}"#] {
            assert!(matches!(read(unreadable.as_bytes()), Ok(Asked::MayProvision(None))), "{unreadable}");
        }
        let id = "a".repeat(64);
        let registered = json!({"certificateId": id, "caCertificateId": id, "certificateStatus": "PENDING_ACTIVATION",
            "timestamp": 1_795_599_060_000_i64, "awsAccountId": "1", "certificateRegistrationTimestamp": "1795599060000"});
        assert!(matches!(read(registered.to_string().as_bytes()), Ok(Asked::Registered(_))));
        for bad in [
            json!({"caCertificateId": id}),
            json!({"certificateId": "C", "caCertificateId": id, "certificateStatus": "x"}),
        ] {
            assert_eq!(read(bad.to_string().as_bytes()).unwrap_err().code, Code::InvalidEvent);
        }
    }
}

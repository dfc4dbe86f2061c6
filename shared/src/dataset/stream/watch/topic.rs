//! An MQTT topic filter → whether a topic is meant.

use std::{fmt, str::FromStr};

/// Topics: `+` stands for one segment, `#` at the end for all that follow (MQTT 3.1.1, 4.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFilter(String);

/// A text that is no topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a topic filter such as `sensors/+/temperature`: `+` is a whole segment, `#` the last one")]
pub struct NoTopicFilter;

impl FromStr for TopicFilter {
    type Err = NoTopicFilter;

    fn from_str(text: &str) -> Result<Self, NoTopicFilter> {
        let segments: Vec<&str> = text.split('/').collect();
        let last = segments.len() - 1;
        let fits = |(at, segment): (usize, &&str)| match *segment {
            "+" => true,
            "#" => at == last,
            other => !other.contains(['+', '#', '\0']),
        };
        if text.is_empty() || !segments.iter().enumerate().all(fits) {
            return Err(NoTopicFilter);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TopicFilter {
    /// Whether this topic is meant.
    #[must_use]
    pub fn takes(&self, topic: &str) -> bool {
        // Topics of the broker's own are not meant by a wildcard at the beginning (MQTT 3.1.1, 4.7.2).
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut segments = topic.split('/');
        for wanted in self.0.split('/') {
            match (wanted, segments.next()) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (wanted, Some(segment)) if wanted == segment => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }

    /// Whether one segment, or more, may be any.
    #[must_use]
    pub fn has_segment(&self) -> bool {
        self.segment().is_some()
    }

    /// The segment of this topic that the first `+` stands for; `None` where there is none, or where the topic is not
    /// meant.
    #[must_use]
    pub fn first<'t>(&self, topic: &'t str) -> Option<&'t str> {
        let at = self.segment().filter(|_| self.takes(topic))?;
        topic.split('/').nth(at)
    }

    fn segment(&self) -> Option<usize> {
        self.0.split('/').position(|segment| segment == "+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, taken: &[&str], others: &[&str]) {
        let filter: TopicFilter = filter.parse().unwrap();
        assert!(taken.iter().all(|topic| filter.takes(topic)), "{filter} {taken:?}");
        assert!(!others.iter().any(|topic| filter.takes(topic)), "{filter} {others:?}");
    }

    #[test]
    fn wildcards_stand_for_segments() {
        check("sensors/+/temperature", &["sensors/a/temperature", "sensors//temperature"], &["sensors/temperature"]);
        check("sensors/+/temperature", &[], &["sensors/a/b/temperature", "sensors/a/temperature/x", "sensors/a"]);
        check("sport/#", &["sport", "sport/", "sport/a/b"], &["sports", "a/sport"]);
        check("#", &["a", "/a"], &["$aws/events"]);
        check("+/a", &["/a", "b/a"], &["$aws/a", "a"]);
        check("/a", &["/a"], &["a"]);
        check("$aws/+", &["$aws/events"], &["$aws"]);
    }

    #[test]
    fn the_first_wildcard_stands_for_a_segment() {
        for (filter, topic, segment) in [
            ("sensors/+/temperature", "sensors/a/temperature", Some("a")),
            ("sensors/+/temperature", "sensors//temperature", Some("")),
            ("+/lines/+/#", "seoul/lines/7/a/b", Some("seoul")),
            ("sensors/+/temperature", "sensors/a/b", None),
            ("sensors/#", "sensors/a", None),
        ] {
            let filter: TopicFilter = filter.parse().unwrap();
            assert_eq!(filter.first(topic), segment, "{filter} {topic}");
            assert_eq!(filter.has_segment(), filter.to_string().contains('+'));
        }
    }

    #[test]
    fn others_are_no_filters() {
        for text in ["", "a+/b", "#/a", "a#", "a/#/b", "a/b\0"] {
            assert_eq!(text.parse::<TopicFilter>(), Err(NoTopicFilter), "{text}");
        }
    }
}

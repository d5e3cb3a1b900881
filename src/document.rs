//! The documents that requirements come from, how they are cited and where they can be read.

use serde::Serialize;

/// A revision of the MCP specification, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum McpVersion {
    /// 2025-06-18.
    #[serde(rename = "2025-06-18")]
    V20250618,
    /// 2025-11-25, the default.
    #[serde(rename = "2025-11-25")]
    V20251125,
    /// 2026-07-28.
    #[serde(rename = "2026-07-28")]
    V20260728,
}

impl McpVersion {
    /// Every revision, oldest first.
    pub const ALL: [Self; 3] = [Self::V20250618, Self::V20251125, Self::V20260728];

    /// The revision as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V20250618 => "2025-06-18",
            Self::V20251125 => "2025-11-25",
            Self::V20260728 => "2026-07-28",
        }
    }
}

macro_rules! documents {
    ($($(#[$doc:meta])* $name:ident => $slug:literal, $title:literal;)*) => {
        /// A document that demands something of a server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Document { $($(#[$doc])* $name,)* }

        impl Document {
            /// Every document, in the order of their slugs here.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The short name in reports and configuration.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The name as it is cited.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

documents! {
    /// OAuth 2.1, an Internet-Draft: section numbers move between drafts, so the number is part of the name.
    OAuth21 => "oauth2.1", "draft-ietf-oauth-v2-1-16";
    /// The OAuth 2.0 framework.
    Rfc6749 => "rfc6749", "RFC 6749";
    /// Bearer tokens.
    Rfc6750 => "rfc6750", "RFC 6750";
    /// HTTP Strict Transport Security.
    Rfc6797 => "rfc6797", "RFC 6797";
    /// Token revocation.
    Rfc7009 => "rfc7009", "RFC 7009";
    /// JSON Web Signature.
    Rfc7515 => "rfc7515", "RFC 7515";
    /// JSON Web Key.
    Rfc7517 => "rfc7517", "RFC 7517";
    /// JSON Web Algorithms.
    Rfc7518 => "rfc7518", "RFC 7518";
    /// JSON Web Token.
    Rfc7519 => "rfc7519", "RFC 7519";
    /// Dynamic client registration.
    Rfc7591 => "rfc7591", "RFC 7591";
    /// PKCE.
    Rfc7636 => "rfc7636", "RFC 7636";
    /// Token introspection.
    Rfc7662 => "rfc7662", "RFC 7662";
    /// Native applications.
    Rfc8252 => "rfc8252", "RFC 8252";
    /// Authorization server metadata.
    Rfc8414 => "rfc8414", "RFC 8414";
    /// Resource indicators.
    Rfc8707 => "rfc8707", "RFC 8707";
    /// The best current practice for JWTs.
    Rfc8725 => "rfc8725", "RFC 8725";
    /// TLS 1.0 and 1.1 deprecated.
    Rfc8996 => "rfc8996", "RFC 8996";
    /// JWT access tokens.
    Rfc9068 => "rfc9068", "RFC 9068";
    /// HTTP semantics.
    Rfc9110 => "rfc9110", "RFC 9110";
    /// The `iss` parameter.
    Rfc9207 => "rfc9207", "RFC 9207";
    /// The secure use of TLS.
    Rfc9325 => "rfc9325", "RFC 9325";
    /// The security best current practice.
    Rfc9700 => "rfc9700", "RFC 9700";
    /// Protected resource metadata.
    Rfc9728 => "rfc9728", "RFC 9728";
    /// OpenID Connect Core.
    OidcCore => "oidc-core", "OpenID Connect Core 1.0";
    /// OWASP's Application Security Verification Standard.
    Asvs5 => "asvs5", "OWASP ASVS 5.0";
    /// The security best practices of the Model Context Protocol.
    McpSecurity => "mcp-security", "MCP security best practices";
    /// The authorization chapter of the Model Context Protocol.
    Mcp => "mcp", "MCP authorization";
    /// OpenAI's requirements for apps, and the approval checklist that its guides repeat.
    OpenAi => "openai", "OpenAI apps: authentication";
    /// The rules of whoever runs the audit. Always in force: who gives a rule to the audit means it.
    House => "house", "house rules";
}

impl Document {
    /// Where a section can be read. Computed, never typed; empty for what is not published.
    pub fn url(self, section: &str, mcp: McpVersion) -> String {
        match self {
            Self::OAuth21 => {
                format!("https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-16#section-{section}")
            }
            Self::OidcCore => "https://openid.net/specs/openid-connect-core-1_0.html".into(),
            Self::Asvs5 => "https://owasp.org/www-project-application-security-verification-standard/".into(),
            Self::Mcp => {
                let page = if mcp == McpVersion::V20260728 { page_of(section) } else { "" };
                let version = mcp.as_str();
                format!("https://modelcontextprotocol.io/specification/{version}/basic/authorization{page}#{section}")
            }
            Self::McpSecurity => {
                format!("https://modelcontextprotocol.io/docs/tutorials/security/security_best_practices#{section}")
            }
            Self::OpenAi => "https://developers.openai.com/plugins/build/auth".into(),
            Self::House => String::new(),
            rfc => format!("https://www.rfc-editor.org/rfc/{}#section-{section}", rfc.slug()),
        }
    }

    /// How a section is cited: `RFC 7636 section 4.6`, `MCP authorization 2025-11-25, "token-handling"`.
    pub fn cite(self, section: &str, mcp: McpVersion) -> String {
        match self {
            Self::Mcp => format!("{} {}, \"{section}\"", self.title(), mcp.as_str()),
            Self::OpenAi | Self::McpSecurity | Self::House => format!("{}, \"{section}\"", self.title()),
            _ => format!("{} section {section}", self.title()),
        }
    }
}

/// On which page of the authorization chapter a section stands since it has several, in 2026-07-28.
fn page_of(section: &str) -> &'static str {
    match section {
        "authorization-server-location"
        | "protected-resource-metadata-discovery-requirements"
        | "authorization-server-metadata-discovery" => "/authorization-server-discovery",
        "client-id-metadata-documents"
        | "implementation-requirements"
        | "advertising-cimd-support"
        | "pre-registration"
        | "dynamic-client-registration"
        | "application-type-and-redirect-uri-constraints"
        | "authorization-server-binding" => "/client-registration",
        "token-audience-binding-and-validation"
        | "token-theft"
        | "communication-security"
        | "authorization-code-protection"
        | "mix-up-attacks"
        | "open-redirection"
        | "client-id-metadata-document-security"
        | "authorization-server-abuse-protection"
        | "localhost-redirect-uri-risks"
        | "trust-policies"
        | "confused-deputy-problem"
        | "access-token-privilege-restriction" => "/security-considerations",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_an_address() {
        assert_eq!(
            Document::Rfc7636.url("4.6", McpVersion::V20251125),
            "https://www.rfc-editor.org/rfc/rfc7636#section-4.6"
        );
        assert_eq!(
            Document::Mcp.url("token-handling", McpVersion::V20250618),
            "https://modelcontextprotocol.io/specification/2025-06-18/basic/authorization#token-handling"
        );
        assert_eq!(
            Document::Mcp.url("token-theft", McpVersion::V20260728),
            "https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations#token-theft"
        );
    }
}

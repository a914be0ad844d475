using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// What each side shows: a server chooses for both (RFC 7250 section 4.2), of what the client offers and in the client's order
/// of preference.
/// </summary>
internal static class CertificateNegotiation
{
    /// <summary>Our credential for a client: the first type that it takes, that we have, and whose signature it takes.</summary>
    public static TransportError SelectCredential(
        TlsServerOptions options, ClientOffer offer, out Credential? credential, out SignatureScheme scheme)
    {
        credential = null;
        scheme = default;
        bool sharesType = false;
        bool hasOne = false;
        foreach (byte type in offer.ServerCertificateTypes)
        {
            if (!options.OwnTypes.Contains((CertificateType)type))
            {
                continue;
            }

            sharesType = true;
            Credential? candidate;
            try
            {
                candidate = options.CredentialOf((CertificateType)type, offer.ServerName);
            }
            catch (Exception)
            {
                // The selection is the user's code; what it throws must not leave the core.
                return TlsError.Alert(TlsAlert.InternalError, "The selection of a certificate failed.");
            }

            if (candidate is null)
            {
                continue;
            }

            hasOne = true;

            // A client that offered pre-shared keys need not have sent signature_algorithms (RFC 8446 section 9.2), until now.
            if (offer.SignatureSchemes.IsEmpty)
            {
                return TlsError.Missing("The client sent no signature_algorithms.");
            }

            if (candidate.TrySelect(offer.SignatureSchemes, out scheme))
            {
                credential = candidate;
                return default;
            }
        }

        return (sharesType, hasOne) switch
        {
            (false, _) => TlsError.Alert(
                TlsAlert.UnsupportedCertificate, "The server has no certificate of a type that the client takes."),
            (_, false) => TlsError.Alert(TlsAlert.UnrecognizedName, "There is no certificate for that name."),
            _ => TlsError.Alert(TlsAlert.HandshakeFailure, "The client takes no signature of our key."),
        };
    }

    /// <summary>
    /// What a client is asked to show; nothing where it is not asked. A server that insists and takes nothing that the client has
    /// ends the handshake; one that does not insist takes the client for anonymous.
    /// </summary>
    public static TransportError SelectClientType(TlsServerOptions options, ClientOffer offer, out CertificateType? selected)
    {
        selected = null;
        if (options.ClientCertificateMode == ClientCertificateMode.None)
        {
            return default;
        }

        foreach (byte type in offer.ClientCertificateTypes)
        {
            if (options.CertificatePolicy.PeerTypes.Contains((CertificateType)type))
            {
                selected = (CertificateType)type;
                return default;
            }
        }

        return options.ClientCertificateMode == ClientCertificateMode.Required
            ? TlsError.Alert(TlsAlert.UnsupportedCertificate, "The client has no certificate of a type that the server takes.")
            : default;
    }

    /// <summary>Client: checks what the server selected for itself. A resumed session shows nothing, and keeps what it was made with.</summary>
    public static TransportError CheckServerType(
        CertificateType? selected, IReadOnlyList<CertificateType> offered, PeerCredential? resumed)
    {
        if (CheckOffered(selected, offered) is { IsError: true } bad)
        {
            return bad;
        }

        if (resumed is not null)
        {
            return selected is null || selected == resumed.Type
                ? default
                : TlsError.Illegal("The server resumes a session and changes what it shows.");
        }

        return offered.Contains(selected ?? CertificateType.X509)
            ? default
            : TlsError.Alert(TlsAlert.UnsupportedCertificate, "The server shows a certificate, and only a raw public key is taken.");
    }

    /// <summary>Client: checks what the server asks it to show.</summary>
    public static TransportError CheckOffered(CertificateType? selected, IReadOnlyList<CertificateType> offered)
    {
        if (selected is not { } type)
        {
            return default;
        }

        // RFC 8446 section 4.2: no answer to what was not asked. RFC 7250 section 4.2: one of those that were offered.
        return !CertificateTypes.IsOffered(offered)
            ? TlsError.Alert(TlsAlert.UnsupportedExtension, "The server selects a certificate type where none was offered.")
            : offered.Contains(type)
                ? default
                : TlsError.Illegal("The server selected a certificate type that was not offered.");
    }
}

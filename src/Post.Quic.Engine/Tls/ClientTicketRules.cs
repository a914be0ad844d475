using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls;

/// <summary>When a client offers the ticket it was given.</summary>
internal static class ClientTicketRules
{
    /// <summary>
    /// The ticket of the options, when it fits what is asked for now: name, protocol, suite, the rules that its
    /// certificate was judged by, and time, that of the certificate too (a resumed session shows none). And it fits who
    /// we are now: the server will not ask again.
    /// </summary>
    public static TlsSessionTicket? Find(
        TlsClientOptions options, byte[] policy, DateTimeOffset now, out PeerCredential? peer)
    {
        peer = null;
        if (options.SessionTicket is not { } ticket ||
            !options.AllowResumption ||
            !ticket.IsAlive(now) ||
            !string.Equals(ticket.ServerName, options.TargetHost, StringComparison.OrdinalIgnoreCase) ||
            !options.CipherSuites.Contains(ticket.CipherSuite) ||
            !options.ApplicationProtocols.Contains(ticket.ApplicationProtocol) ||
            !ticket.ValidationPolicy.AsSpan().SequenceEqual(policy) ||
            !IsOurs(ticket, options))
        {
            return null;
        }

        return options.CertificatePolicy.PeerTypes.Contains(ticket.PeerType) &&
            !PeerCredentialParser.Parse(ticket.PeerType, [ticket.PeerCertificate], options.Crypto, out peer).IsError &&
            peer!.IsValidAt(now)
                ? ticket
                : null;
    }

    /// <summary>
    /// Whether we would show what we showed then. Where we showed none, because the server did not ask or
    /// we had none, it takes us for nobody in particular, as it did; a server that wants to know makes a full handshake.
    /// </summary>
    private static bool IsOurs(TlsSessionTicket ticket, TlsClientOptions options)
    {
        if (ticket.OwnCertificate.Length == 0)
        {
            return true;
        }

        try
        {
            foreach (CertificateType type in options.OwnTypes)
            {
                if (options.CredentialOf(type, []) is { } own && ticket.OwnCertificate.AsSpan().SequenceEqual(own.Fingerprint()))
                {
                    return true;
                }
            }
        }
        catch (Exception)
        {
            // The selection is the user's code. What it has to say comes out in the full handshake that follows.
        }

        return false;
    }
}

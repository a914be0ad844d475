using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Certificates;

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
        TlsClientOptions options, byte[] policy, DateTimeOffset now, out X509Certificate2? certificate)
    {
        certificate = null;
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

        return !CertificateChainParser.Parse([ticket.PeerCertificate], out certificate, out _).IsError &&
            now.LocalDateTime <= certificate!.NotAfter
                ? ticket
                : null;
    }

    /// <summary>What a ticket remembers of the certificate that we showed; empty where we showed none.</summary>
    public static byte[] Fingerprint(CertificateCredential? credential) =>
        credential is null ? [] : SHA256.HashData(credential.Certificate.RawDataMemory.Span);

    /// <summary>
    /// Whether we would show the certificate that we showed then. Where we showed none, because the server did not ask or
    /// we had none, it takes us for nobody in particular, as it did; a server that wants to know makes a full handshake.
    /// </summary>
    private static bool IsOurs(TlsSessionTicket ticket, TlsClientOptions options)
    {
        if (options.SelectCredential is null)
        {
            return ticket.OwnCertificate.Length == 0;
        }

        try
        {
            return ticket.OwnCertificate.Length == 0
                || ticket.OwnCertificate.AsSpan().SequenceEqual(Fingerprint(options.SelectCredential([])));
        }
        catch (Exception)
        {
            // The selection is the user's code. What it has to say comes out in the full handshake that follows.
            return false;
        }
    }
}

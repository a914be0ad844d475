using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Certificates;

namespace Post.Quic.Engine.Tls.Tickets;

/// <summary>When a client offers the ticket it was given.</summary>
internal static class ClientTicketRules
{
    /// <summary>
    /// The ticket of the options, when it fits what is asked for now: name, protocol, suite, the rules that its
    /// certificate was judged by, and time, that of the certificate too (a resumed session shows none).
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
            !ticket.ValidationPolicy.AsSpan().SequenceEqual(policy))
        {
            return null;
        }

        return !CertificateChainParser.Parse([ticket.PeerCertificate], out certificate, out _).IsError &&
            now.LocalDateTime <= certificate!.NotAfter
                ? ticket
                : null;
    }
}

using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets;

/// <summary>The local side: the identity to prove, the addresses to use, and the sessions to resume.</summary>
public sealed record Local
{
    /// <summary>A client without a certificate, on whatever address and port the system chooses.</summary>
    public static Local Anonymous { get; } = new();

    /// <summary>
    /// The certificate with its private key; null for a client that proves nothing. A listener needs one. With <see cref="Renewable"/>, its present
    /// certificate.
    /// </summary>
    public X509Certificate2? Certificate
    {
        get => Renewable?.Certificate ?? field;
        init;
    }

    /// <summary>The certificates between the own one and the root, sent along so that peers can build the chain.</summary>
    public X509Certificate2Collection? IntermediateCertificates
    {
        get => Renewable is { } renewable ? renewable.IntermediateCertificates : field;
        init;
    }

    /// <summary>
    /// Our key without a certificate, which peers get to see that take such keys; beside a certificate, or alone. Null: none. Over QUIC, the
    /// managed engine has it, and System.Net.Quic does not.
    /// </summary>
    public IdentityKey? BareKey { get; init; }

    /// <summary>An identity that can be replaced while it is in use; it takes precedence over <see cref="Certificate"/>. Null: none.</summary>
    public RenewableIdentity? Renewable { get; init; }

    /// <summary>
    /// The addresses to listen on or to connect from. Empty: a client takes what the system chooses; a listener takes every address, with a port that
    /// the system chooses.
    /// </summary>
    public IReadOnlyList<EndPoint> EndPoints { get; init; } = [];

    /// <summary>
    /// Names of the network interfaces that may be used, the preferred ones first; empty: all, in the order of the machine's routes. An
    /// association follows the machine among them: see <see cref="Transport.TransportOptions.Multipath"/>.
    /// </summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    /// <summary>
    /// Names of the network interfaces whose traffic is paid for. Paths over them are kept in reserve while another works. Empty: none but those
    /// of which the system says so.
    /// </summary>
    public IReadOnlyList<string> MeteredInterfaces { get; init; } = [];

    /// <summary>
    /// On a listener: further addresses at which its clients can reach it, as they see them, the preferred ones first. They are told in HELLO, so that
    /// clients with <see cref="MultipathPolicy"/> open paths to them; more than eight are left out. The connection must arrive where the first one
    /// did: with the managed engine, that is an address served by the same wildcard socket (<c>[::]:4433</c>). Empty, the default: none are told.
    /// </summary>
    public IReadOnlyList<IPEndPoint> FurtherEndPoints { get; init; } = [];

    /// <summary>Where sessions are kept so that a later association with the same Remote starts quickly; null: nowhere.</summary>
    public ISessionCache? Sessions { get; init; }

    /// <summary>
    /// The fingerprint of our public key, which peers can pin: that of the certificate, or of <see cref="BareKey"/> where there is no
    /// certificate. Null where there is neither.
    /// </summary>
    public KeyFingerprint? Key => Certificate is null ? BareKey?.Fingerprint : KeyFingerprint.Of(Certificate);

    /// <summary>A Local that listens on, or connects from, a port of every address.</summary>
    /// <param name="port">The port; 0: the system chooses.</param>
    /// <param name="certificate">The identity.</param>
    public static Local OnPort(int port, X509Certificate2? certificate = null) => new()
    {
        Certificate = certificate,
        EndPoints = [new IPEndPoint(IPAddress.IPv6Any, OptionRange.Number(port, 0, 65535, "the port to listen on; 0 lets the system choose", nameof(port)))],
    };

    /// <summary>A Local on one endpoint.</summary>
    /// <param name="endPoint">The endpoint.</param>
    /// <param name="certificate">The identity.</param>
    public static Local At(EndPoint endPoint, X509Certificate2? certificate = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return new Local { Certificate = certificate, EndPoints = [endPoint] };
    }
}

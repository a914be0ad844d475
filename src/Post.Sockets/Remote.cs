using System.Globalization;
using System.Net;

namespace Post.Sockets;

/// <summary>The remote side: where to find it, and what proves its identity.</summary>
public sealed record Remote
{
    /// <summary>The host name or address: what is looked up, sent as server name, and (by default) expected in the certificate.</summary>
    public required string Host
    {
        get;
        init
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value, nameof(Host));
            field = value;
        }
    }

    /// <summary>The port, 1 to 65535.</summary>
    public required int Port { get; init => field = OptionRange.Number(value, 1, 65535, "the port on which the remote listens"); }

    /// <summary>The addresses to try, in this order; empty: <see cref="Host"/> is looked up.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>What proves its identity.</summary>
    public PeerTrust Trust { get; init; } = PeerTrust.CertificateAuthority();

    /// <summary>A remote that proves its name by a certificate of a trusted authority.</summary>
    /// <param name="host">The name.</param>
    /// <param name="port">The port.</param>
    public static Remote Named(string host, int port) => Make(host, port, PeerTrust.CertificateAuthority());

    /// <summary>A remote that proves itself by a known public key.</summary>
    /// <param name="host">The name or address.</param>
    /// <param name="port">The port.</param>
    /// <param name="keys">The keys; any one will do.</param>
    public static Remote Pinned(string host, int port, params IEnumerable<KeyFingerprint> keys) =>
        Make(host, port, PeerTrust.Pinned(keys));

    /// <summary>A remote at an address that proves itself by a known public key.</summary>
    /// <param name="endPoint">The address and port.</param>
    /// <param name="keys">The keys; any one will do.</param>
    public static Remote Pinned(IPEndPoint endPoint, params IEnumerable<KeyFingerprint> keys)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return Make(endPoint.Address.ToString(), endPoint.Port, PeerTrust.Pinned(keys)) with { Addresses = [endPoint.Address] };
    }

    /// <summary>A remote that proves itself by a known public key without a certificate, whatever certificates it has beside it.</summary>
    /// <param name="host">The name or address.</param>
    /// <param name="port">The port.</param>
    /// <param name="keys">The keys; any one will do.</param>
    public static Remote WithBareKey(string host, int port, params IEnumerable<KeyFingerprint> keys) =>
        Make(host, port, PeerTrust.BareKey(keys));

    /// <summary>A remote whose certificate the application judges.</summary>
    /// <param name="host">The name or address.</param>
    /// <param name="port">The port.</param>
    /// <param name="validator">The judgement.</param>
    public static Remote Judged(string host, int port, PeerValidator validator) =>
        Make(host, port, PeerTrust.Callback(validator));

    /// <summary>The host and port.</summary>
    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    private static Remote Make(string host, int port, PeerTrust trust) => new() { Host = host, Port = port, Trust = trust };
}

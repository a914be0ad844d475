using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Time;

namespace Post.Quic.Engine;

/// <summary>How to open a <see cref="QuicEndpoint"/>.</summary>
public sealed record QuicEndpointOptions
{
    /// <summary>The address to bind; port 0 lets the system choose.</summary>
    public required IPEndPoint LocalEndPoint { get; init; }

    /// <summary>
    /// An IPv6 wildcard serves IPv4 too; true by default. False leaves IPv4 to another endpoint on the same port.
    /// </summary>
    public bool DualMode { get; init; } = true;

    /// <summary>The clock of all its connections; by default one that runs on while the machine sleeps.</summary>
    public TimeProvider TimeProvider { get; init; } = BootTimeProvider.Shared;

    /// <summary>Where it logs; null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Where the instruments of its connections live; null: on a meter of the process.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>
    /// 32 secret bytes that stateless reset tokens are made from (RFC 9000 section 10.3.2). Give the same to an endpoint
    /// after a restart, and peers learn at once that their connections are gone. Give it to one endpoint at a time: where two
    /// have it, and an attacker can send a copy of a packet for the one to the other, its answer ends a living connection
    /// (RFC 9000 section 21.11). Empty: random ones.
    /// </summary>
    public ReadOnlyMemory<byte> StatelessResetKey { get; init; }

    /// <summary>
    /// 32 secret bytes that address tokens are sealed under. Servers that share them (and the time) accept each other's
    /// tokens. Empty: random ones.
    /// </summary>
    public ReadOnlyMemory<byte> TokenKey { get; init; }

    /// <summary>
    /// A thread of its own for the socket, as a server wants it; false: it shares one with all such sockets of the process.
    /// </summary>
    public bool DedicatedThread { get; init; }

    /// <summary>Use the portable sockets even where faster ones exist; for comparison.</summary>
    public bool UsePortableSockets { get; init; }

    /// <summary>
    /// Use the platform's cryptographic classes even where libcrypto can be called directly, for packets and for key
    /// exchange; there is no X25519 then. For comparison; false by default.
    /// </summary>
    public bool UsePlatformCrypto { get; init; }

    /// <summary>What it is opened for; an endpoint of the application's may be used for both.</summary>
    internal EndpointUse Use { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(LocalEndPoint);
        ArgumentNullException.ThrowIfNull(TimeProvider);
        CheckKey(StatelessResetKey, Crypto.StatelessResetKey.KeyLength, nameof(StatelessResetKey));
        CheckKey(TokenKey, TokenSealer.RootKeyLength, nameof(TokenKey));
    }

    /// <summary>An address beside an endpoint, which has one: it may say the same, and not something else that would have no effect.</summary>
    internal static void CheckBeside(QuicEndpoint endpoint, IPEndPoint? other, string name)
    {
        IPEndPoint own = endpoint.LocalEndPoint;
        if (other is not null
            && !((other.Port == 0 || other.Port == own.Port)
                && (other.Address.Equals(own.Address) || IPAddress.Any.Equals(other.Address) || IPAddress.IPv6Any.Equals(other.Address))))
        {
            throw new ArgumentException($"{name} is {other}, and the Endpoint given is at {own}; leave one of the two out.", name);
        }
    }

    internal static void CheckBeside(bool isUnset, string name)
    {
        if (!isUnset)
        {
            throw new ArgumentException(
                $"{name} is for an endpoint of the connection's or listener's own; beside an Endpoint, set it in {nameof(QuicEndpointOptions)}.", name);
        }
    }

    internal static void CheckKey(ReadOnlyMemory<byte> key, int length, string name)
    {
        if (key.Length != 0 && key.Length != length)
        {
            throw new ArgumentException($"{name} has {key.Length} bytes; give {length} random ones, or none.", name);
        }
    }
}

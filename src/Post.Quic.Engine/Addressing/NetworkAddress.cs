using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Engine.Addressing;

/// <summary>
/// An IP address and a port as a value: comparing and copying one costs no allocation, which an
/// <see cref="IPEndPoint"/> would for every datagram. IPv4 is kept in its IPv6-mapped form, so that an address looks
/// the same whether a dual-stack socket or an IPv4 socket saw it.
/// </summary>
internal readonly struct NetworkAddress : IEquatable<NetworkAddress>
{
    private const ulong MappedPrefix = 0x0000ffff_00000000;

    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scope;
    private readonly ushort _port;

    private NetworkAddress(ulong high, ulong low, uint scope, ushort port)
    {
        _high = high;
        _low = low;
        _scope = scope;
        _port = port;
    }

    /// <summary>Nothing known or nothing preferred.</summary>
    public static NetworkAddress None => default;

    public bool IsNone => this == default;

    public ushort Port => _port;

    /// <summary>The interface of a link-local IPv6 address; 0 for every other.</summary>
    public uint ScopeId => _scope;

    public bool IsIPv4 => _high == 0 && (_low & 0xffffffff_00000000) == MappedPrefix;

    /// <summary>The address names no host: 0.0.0.0, :: or <see cref="None"/>. A port may still be set.</summary>
    public bool IsUnspecified => _high == 0 && (_low == 0 || _low == MappedPrefix);

    public static bool operator ==(NetworkAddress left, NetworkAddress right) => left.Equals(right);

    public static bool operator !=(NetworkAddress left, NetworkAddress right) => !left.Equals(right);

    public static NetworkAddress FromIPv4(uint address, ushort port) => new(0, MappedPrefix | address, 0, port);

    /// <summary>From 4 or 16 bytes in network order.</summary>
    public static NetworkAddress FromBytes(ReadOnlySpan<byte> address, ushort port, uint scope = 0)
    {
        if (address.Length == 4)
        {
            return FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address), port);
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(address.Length, 16);
        return new NetworkAddress(
            BinaryPrimitives.ReadUInt64BigEndian(address),
            BinaryPrimitives.ReadUInt64BigEndian(address[8..]),
            scope,
            port);
    }

    public static NetworkAddress FromEndPoint(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = endPoint.Address.TryWriteBytes(bytes, out int written);
        uint scope = endPoint.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)endPoint.Address.ScopeId : 0;
        return FromBytes(bytes[..written], (ushort)endPoint.Port, scope);
    }

    /// <summary>
    /// The end point for a socket: an IPv4 address in its own form, or mapped where a dual-stack socket needs it.
    /// </summary>
    public IPEndPoint ToEndPoint(bool mapped = false)
    {
        Span<byte> bytes = stackalloc byte[16];
        WriteBytes(bytes);
        return IsIPv4 && !mapped
            ? new IPEndPoint(new IPAddress(bytes[12..]), _port)
            : new IPEndPoint(new IPAddress(bytes, _scope), _port);
    }

    /// <summary>Writes the 16 bytes of the IPv6 form in network order.</summary>
    public void WriteBytes(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
    }

    /// <summary>The port alone, of whichever address the machine chooses.</summary>
    public NetworkAddress Unspecified => new(0, IsIPv4 ? MappedPrefix : 0, 0, _port);

    public NetworkAddress WithPort(ushort port) => new(_high, _low, _scope, port);

    /// <summary>The same host, whatever the port: what tells a NAT that took a new port from a move.</summary>
    public bool SameHost(in NetworkAddress other) =>
        _high == other._high && _low == other._low && _scope == other._scope;

    /// <summary>
    /// Both are local addresses of one socket: the port is the same, and so is the host, unless the socket is bound to none or it is not
    /// known yet which one it is.
    /// </summary>
    public bool IsSameSocket(in NetworkAddress other) => _port == other._port && (IsUnspecified || other.IsUnspecified || SameHost(other));

    public bool Equals(NetworkAddress other) => SameHost(other) && _port == other._port;

    public override bool Equals(object? obj) => obj is NetworkAddress other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_high, _low, _scope, _port);

    public override string ToString() => IsNone ? "none" : ToEndPoint().ToString();
}

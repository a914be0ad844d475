using System.Net;

namespace Post.Sockets.Protocol;

/// <summary>The value of HELLO's <c>addresses</c>: where else a listener can be reached, each as the address's length, its bytes and the port.</summary>
internal sealed class FurtherAddresses : IEquatable<FurtherAddresses>
{
    private const int IPv4Length = 4;
    private const int IPv6Length = 16;

    private readonly IPEndPoint[] _all;

    private FurtherAddresses(IPEndPoint[] all) => _all = all;

    public static FurtherAddresses None { get; } = new([]);

    public IReadOnlyList<IPEndPoint> All => _all;

    /// <summary>Takes at most <see cref="ProtocolLimits.MaxPeerAddresses"/>, in the order of preference.</summary>
    public static FurtherAddresses Of(IEnumerable<IPEndPoint> all)
    {
        IPEndPoint[] taken = [.. all.Take(ProtocolLimits.MaxPeerAddresses)];
        return taken.Length == 0 ? None : new FurtherAddresses(taken);
    }

    public static bool TryParse(ReadOnlySpan<byte> value, out FurtherAddresses addresses)
    {
        addresses = None;
        var all = new List<IPEndPoint>();
        var reader = new PostReader(value);
        do
        {
            if (all.Count == ProtocolLimits.MaxPeerAddresses
                || !reader.TryReadInteger(out long length)
                || length is not (IPv4Length or IPv6Length)
                || !reader.TryReadBytes(length, out ReadOnlySpan<byte> bytes)
                || !reader.TryReadInteger(out long port)
                || port is < 1 or > IPEndPoint.MaxPort)
            {
                return false;
            }

            all.Add(new IPEndPoint(new IPAddress(bytes), (int)port));
        }
        while (!reader.IsAtEnd);

        addresses = new FurtherAddresses([.. all]);
        return true;
    }

    /// <summary>
    /// What may be gone to. Whoever listens must not make its clients send to their own machine, their own link or a group (RFC 9000 section
    /// 21.5): such addresses are left out, unless the listener itself is on this machine.
    /// </summary>
    /// <param name="current">Where the listener is now.</param>
    public IReadOnlyList<IPEndPoint> Allowed(EndPoint? current)
    {
        bool isHere = current is IPEndPoint { Address: var address }
            && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
        return [.. _all.Where(one => IsHost(one.Address) && IPAddress.IsLoopback(one.Address) == isHere)];
    }

    public int Length()
    {
        int length = 0;
        foreach (IPEndPoint one in _all)
        {
            length += 1 + LengthOf(one) + PostInteger.Length(one.Port);
        }

        return length;
    }

    public void Write(ref PostWriter writer)
    {
        foreach (IPEndPoint one in _all)
        {
            writer.WriteInteger(LengthOf(one));
            writer.WriteBytes(one.Address.GetAddressBytes());
            writer.WriteInteger(one.Port);
        }
    }

    public bool Equals(FurtherAddresses? other) => other is not null && _all.AsSpan().SequenceEqual(other._all);

    public override bool Equals(object? obj) => Equals(obj as FurtherAddresses);

    public override int GetHashCode() => _all.Length;

    public override string ToString() => string.Join(' ', (object[])_all);

    private static int LengthOf(IPEndPoint one) =>
        one.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? IPv6Length : IPv4Length;

    private static bool IsHost(IPAddress address) => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
        ? address.GetAddressBytes() is [> 0 and < 224, ..] and not [169, 254, ..]
        : !address.Equals(IPAddress.IPv6Any) && !address.IsIPv6Multicast && !address.IsIPv6LinkLocal && !address.IsIPv4MappedToIPv6;
}

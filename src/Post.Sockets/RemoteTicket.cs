using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Post.Sockets.Protocol;

namespace Post.Sockets;

/// <summary>
/// A short text that says all it takes to reach a peer: the fingerprint of its key, its port, and where it may be found. It is made to be
/// copied and sent by any means, has a checksum, and is no secret.
/// </summary>
/// <remarks>
/// The text is <c>post1:</c>, in which 1 is the version of the form, and these bytes in base64url (RFC 4648 section 5, without padding): the
/// flags (1: the peer shows its key without a certificate), the fingerprint (32), the port (2, the high one first), then the hosts, each a byte
/// and what it announces (1: 4 bytes of an IPv4 address; 2: 16 bytes of an IPv6 address; 3: a byte with a length and a name in ASCII), at last the
/// first 4 bytes of the SHA-256 of all before. Each ticket has one text.
/// </remarks>
public sealed class RemoteTicket : IEquatable<RemoteTicket>, ISpanParsable<RemoteTicket>
{
    private const string Prefix = "post1:";
    private const int ChecksumLength = 4;
    private const int HeaderLength = 1 + KeyFingerprint.Size + sizeof(ushort);
    private const int MaxNameLength = 253;
    private const int MaxLength = HeaderLength + (ProtocolLimits.MaxTicketHosts * (2 + MaxNameLength)) + ChecksumLength;
    private const byte BareKeyFlag = 1;
    private const byte IPv4Host = 1;
    private const byte IPv6Host = 2;
    private const byte NamedHost = 3;

    /// <summary>Creates a ticket.</summary>
    /// <param name="key">The fingerprint of the peer's key, as <see cref="Local.Key"/> has it.</param>
    /// <param name="port">Its port, 1 to 65535.</param>
    /// <param name="hosts">Where it may be found: names and addresses, the likeliest first; 1 to 16.</param>
    /// <param name="showsBareKey">The peer shows its key without a certificate; false, the default: a certificate, or a key if it has none.</param>
    /// <exception cref="ArgumentException">The key has no value, or the hosts are none, too many, or neither names nor addresses.</exception>
    public RemoteTicket(KeyFingerprint key, int port, IEnumerable<string> hosts, bool showsBareKey = false)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        if (key.Bytes.IsEmpty)
        {
            throw new ArgumentException("The key has no value; give the fingerprint of the peer's key, such as Local.Key.", nameof(key));
        }

        Key = key;
        Port = OptionRange.Number(port, 1, ushort.MaxValue, "the port on which the peer listens", nameof(port));
        ShowsBareKey = showsBareKey;
        Hosts = [.. hosts.Select(static host => Normalize(host) ?? throw new ArgumentException(
            $"'{host}' is neither a host name nor an address without a scope; give what the peer can be found by.", nameof(hosts)))];
        if (Hosts.Count is 0 or > ProtocolLimits.MaxTicketHosts)
        {
            throw new ArgumentException($"A ticket names 1 to {ProtocolLimits.MaxTicketHosts} hosts, not {Hosts.Count}.", nameof(hosts));
        }
    }

    /// <summary>The fingerprint of the peer's key.</summary>
    public KeyFingerprint Key { get; }

    /// <summary>The peer's port.</summary>
    public int Port { get; }

    /// <summary>Where it may be found: names and addresses, the likeliest first.</summary>
    public IReadOnlyList<string> Hosts { get; }

    /// <summary>The peer shows its key without a certificate; false: a certificate, or a key if it has none.</summary>
    public bool ShowsBareKey { get; }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Ignored.</param>
    /// <exception cref="FormatException">It is something else, incomplete or altered.</exception>
    public static RemoteTicket Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc cref="Parse(string, IFormatProvider?)"/>
    public static RemoteTicket Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out RemoteTicket? result)
            ? result
            : throw new FormatException($"It is no ticket of the form \"{Prefix}…\", or not all of it, or it was altered; copy it again, whole.");

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out RemoteTicket)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, [MaybeNullWhen(false)] out RemoteTicket result) =>
        TryParse(s.AsSpan(), null, out result);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out RemoteTicket)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out RemoteTicket result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>Reads what <see cref="Parse(string, IFormatProvider?)"/> reads, without an exception.</summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Ignored.</param>
    /// <param name="result">The ticket.</param>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, [MaybeNullWhen(false)] out RemoteTicket result)
    {
        result = null;
        s = s.Trim();
        if (!s.StartsWith(Prefix, StringComparison.Ordinal) || s.Length > Prefix.Length + Base64Url.GetEncodedLength(MaxLength))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[MaxLength];
        if (!Base64Url.IsValid(s[Prefix.Length..], out int length)
            || length < HeaderLength + ChecksumLength
            || length > MaxLength
            || !Base64Url.TryDecodeFromChars(s[Prefix.Length..], bytes, out length))
        {
            return false;
        }

        ReadOnlySpan<byte> content = bytes[..(length - ChecksumLength)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        if (!hash[..ChecksumLength].SequenceEqual(bytes[content.Length..length])
            || content[0] > BareKeyFlag
            || BinaryPrimitives.ReadUInt16BigEndian(content[(HeaderLength - sizeof(ushort))..]) is not (> 0 and var port)
            || !TryReadHosts(content[HeaderLength..], out List<string> hosts))
        {
            return false;
        }

        var ticket = new RemoteTicket(KeyFingerprint.FromHash(content.Slice(1, KeyFingerprint.Size)), port, hosts, content[0] == BareKeyFlag);

        // Names in capital letters, blanks inside, padding: what decodes to the same is not taken for the same.
        if (!s.SequenceEqual(ticket.ToString()))
        {
            return false;
        }

        result = ticket;
        return true;
    }

    /// <summary>
    /// The peer, to associate with. Its addresses are tried in their order; the first name is looked up where there are none.
    /// </summary>
    public Remote ToRemote()
    {
        IPAddress[] addresses = [.. Hosts.Select(static host => IPAddress.TryParse(host, out IPAddress? address) ? address : null).OfType<IPAddress>()];
        string host = Hosts.FirstOrDefault(static one => !IPAddress.TryParse(one, out _)) ?? Hosts[0];
        Remote remote = ShowsBareKey ? Remote.WithBareKey(host, Port, Key) : Remote.Pinned(host, Port, Key);
        return remote with { Addresses = addresses };
    }

    /// <summary>The text.</summary>
    public override string ToString()
    {
        List<byte> bytes = [ShowsBareKey ? BareKeyFlag : (byte)0, .. Key.Bytes, (byte)(Port >> 8), (byte)Port];
        foreach (string host in Hosts)
        {
            byte[] place = IPAddress.TryParse(host, out IPAddress? address) ? address.GetAddressBytes() : Encoding.ASCII.GetBytes(host);
            bytes.AddRange(address is null ? [NamedHost, (byte)place.Length, .. place] : [place.Length == 4 ? IPv4Host : IPv6Host, .. place]);
        }

        byte[] content = [.. bytes];
        return Prefix + Base64Url.EncodeToString([.. content, .. SHA256.HashData(content).AsSpan(..ChecksumLength)]);
    }

    /// <inheritdoc/>
    public bool Equals(RemoteTicket? other) =>
        other is not null && Key == other.Key && Port == other.Port && ShowsBareKey == other.ShowsBareKey && Hosts.SequenceEqual(other.Hosts);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RemoteTicket);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, Port, Hosts.Count);

    private static bool TryReadHosts(ReadOnlySpan<byte> content, out List<string> hosts)
    {
        hosts = [];
        while (!content.IsEmpty)
        {
            int start = content[0] == NamedHost ? 2 : 1;
            int length = content[0] switch
            {
                IPv4Host => 4,
                IPv6Host => 16,
                NamedHost when content.Length > 1 => content[1],
                _ => 0,
            };
            if (length == 0 || content.Length < start + length || hosts.Count == ProtocolLimits.MaxTicketHosts)
            {
                return false;
            }

            ReadOnlySpan<byte> place = content.Slice(start, length);
            if (Normalize(content[0] == NamedHost ? Encoding.ASCII.GetString(place) : new IPAddress(place).ToString()) is not { } host)
            {
                return false;
            }

            hosts.Add(host);
            content = content[(start + length)..];
        }

        return hosts.Count > 0;
    }

    /// <summary>The host in its one form; null where it is none. A scope is left out of nothing: it means something on one machine only.</summary>
    private static string? Normalize(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? null : address.ToString();
        }

        return host.Length <= MaxNameLength && Ascii.IsValid(host) && Uri.CheckHostName(host) == UriHostNameType.Dns ? host.ToLowerInvariant() : null;
    }
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Interfaces;

/// <summary>
/// The messages of rtnetlink (RFC 3549; linux/rtnetlink.h) that are asked for and read here. Lengths are checked against what is there: a
/// message that does not fit ends the reading, an attribute that does not fit ends its message.
/// </summary>
internal static class RouteMessages
{
    public const ushort GetLinks = 18;
    public const ushort GetAddresses = 22;
    public const ushort GetRoutes = 26;

    /// <summary>RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE.</summary>
    public const uint AllGroups = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;

    private const int HeaderLength = 16;
    private const ushort Request = 0x1;
    private const ushort Dump = 0x300;
    private const ushort Error = 2;
    private const ushort Done = 3;
    private const ushort NewLink = 16;
    private const ushort NewAddress = 20;
    private const ushort NewRoute = 24;
    private const byte FamilyIPv4 = 2;
    private const byte FamilyIPv6 = 10;
    private const byte LocalTable = 255;
    private const byte Unicast = 1;

    /// <summary>Asks for all links, addresses or routes.</summary>
    public static byte[] Query(ushort type, uint sequence)
    {
        int body = type == GetLinks ? 16 : type == GetAddresses ? 8 : 12;
        return Header(type, (ushort)(Request | Dump), sequence, body);
    }

    /// <summary>Asks by which route an address is reached.</summary>
    public static byte[] Query(IPAddress destination, uint sequence)
    {
        byte[] address = destination.GetAddressBytes();
        byte[] message = Header(GetRoutes, Request, sequence, 12 + 4 + address.Length);
        Span<byte> body = message.AsSpan(HeaderLength);
        body[0] = destination.AddressFamily == AddressFamily.InterNetworkV6 ? FamilyIPv6 : FamilyIPv4;
        body[1] = (byte)(address.Length * 8);
        BinaryPrimitives.WriteUInt16LittleEndian(body[12..], (ushort)(4 + address.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(body[14..], 1);
        address.CopyTo(body[16..]);
        return message;
    }

    /// <summary>Reads an answer into a table. True when it is complete, or an error.</summary>
    public static bool Read(ReadOnlySpan<byte> bytes, uint sequence, InterfaceTable table)
    {
        while (TryTake(ref bytes, out ushort type, out uint number, out ReadOnlySpan<byte> body))
        {
            if (number != sequence)
            {
                continue;
            }

            switch (type)
            {
                case Error or Done:
                    return true;
                case NewLink when body.Length >= 16:
                    ReadLink(body, table);
                    break;
                case NewAddress when body.Length >= 8:
                    ReadAddress(body, table);
                    break;
                case NewRoute when body.Length >= 12:
                    ReadRoute(body, table);
                    break;
            }
        }

        return false;
    }

    /// <summary>Reads the answer to a query for one destination. True when there is one, and be it that there is no route.</summary>
    public static bool ReadSource(ReadOnlySpan<byte> bytes, uint sequence, out IPAddress? source)
    {
        source = null;
        while (TryTake(ref bytes, out ushort type, out uint number, out ReadOnlySpan<byte> body))
        {
            if (number != sequence)
            {
                continue;
            }

            if (type is Error or Done)
            {
                return true;
            }

            if (type == NewRoute && body.Length >= 12)
            {
                const int PreferredSource = 7;
                ReadOnlySpan<byte> attributes = body[12..];
                while (TryTakeAttribute(ref attributes, out int attribute, out ReadOnlySpan<byte> value))
                {
                    if (attribute == PreferredSource && value.Length is 4 or 16)
                    {
                        source = new IPAddress(value);
                    }
                }

                return true;
            }
        }

        return false;
    }

    private static byte[] Header(ushort type, ushort flags, uint sequence, int body)
    {
        byte[] message = new byte[HeaderLength + body];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(8), sequence);
        return message;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, out ushort type, out uint sequence, out ReadOnlySpan<byte> body)
    {
        type = 0;
        sequence = 0;
        body = default;
        if (bytes.Length < HeaderLength)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (length < HeaderLength || length > (uint)bytes.Length)
        {
            return false;
        }

        type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]);
        sequence = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        body = bytes[HeaderLength..(int)length];
        bytes = bytes[Math.Min(bytes.Length, Aligned((int)length))..];
        return true;
    }

    private static bool TryTakeAttribute(ref ReadOnlySpan<byte> bytes, out int type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (bytes.Length < 4)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        if (length < 4 || length > bytes.Length)
        {
            return false;
        }

        // The upper bits say how the value is written.
        type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) & 0x3fff;
        value = bytes[4..length];
        bytes = bytes[Math.Min(bytes.Length, Aligned(length))..];
        return true;
    }

    private static int Aligned(int length) => (length + 3) & ~3;

    private static void ReadLink(ReadOnlySpan<byte> body, InterfaceTable table)
    {
        const uint UpAndRunning = 0x1 | 0x40;
        const int Name = 3;
        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]);
        ReadOnlySpan<byte> attributes = body[16..];
        while (TryTakeAttribute(ref attributes, out int attribute, out ReadOnlySpan<byte> value))
        {
            if (attribute == Name)
            {
                table.AddLink(index, System.Text.Encoding.UTF8.GetString(value.TrimEnd((byte)0)), (flags & UpAndRunning) == UpAndRunning);
            }
        }
    }

    private static void ReadAddress(ReadOnlySpan<byte> body, InterfaceTable table)
    {
        const uint Optimistic = 0x04;
        const uint Failed = 0x08;
        const uint Deprecated = 0x20;
        const uint Tentative = 0x40;
        const int Address = 1;
        const int Own = 2;
        const int Flags = 8;
        uint flags = body[2];
        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        IPAddress? address = null;
        bool isOwn = false;
        ReadOnlySpan<byte> attributes = body[8..];
        while (TryTakeAttribute(ref attributes, out int attribute, out ReadOnlySpan<byte> value))
        {
            if (attribute == Flags && value.Length == 4)
            {
                flags = BinaryPrimitives.ReadUInt32LittleEndian(value);
            }
            else if (attribute is Address or Own && value.Length is 4 or 16)
            {
                // On a link between two, the one is the peer's address and the other our own.
                if (!isOwn)
                {
                    address = value.Length == 16 ? new IPAddress(value, ScopeOf(value, index)) : new IPAddress(value);
                    isOwn = attribute == Own;
                }
            }
        }

        bool isUsable = (flags & Failed) == 0 && (flags & (Tentative | Optimistic)) != Tentative;
        if (isUsable && address is { } found)
        {
            table.AddAddress(index, found, isDeprecated: (flags & Deprecated) != 0);
        }
    }

    private static long ScopeOf(ReadOnlySpan<byte> address, int index) => address[0] == 0xfe && (address[1] & 0xc0) == 0x80 ? index : 0;

    private static void ReadRoute(ReadOnlySpan<byte> body, InterfaceTable table)
    {
        const int Destination = 1;
        const int OutInterface = 4;
        const int NextHops = 9;
        byte family = body[0];
        byte length = body[1];
        if (family is not (FamilyIPv4 or FamilyIPv6) || body[4] == LocalTable || body[7] != Unicast || length > (family == FamilyIPv6 ? 128 : 32))
        {
            return;
        }

        IPAddress destination = family == FamilyIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        var interfaces = new List<int>();
        ReadOnlySpan<byte> attributes = body[12..];
        while (TryTakeAttribute(ref attributes, out int attribute, out ReadOnlySpan<byte> value))
        {
            switch (attribute)
            {
                case Destination when value.Length == (family == FamilyIPv6 ? 16 : 4):
                    destination = new IPAddress(value);
                    break;
                case OutInterface when value.Length == 4:
                    interfaces.Add(BinaryPrimitives.ReadInt32LittleEndian(value));
                    break;
                case NextHops:
                    ReadNextHops(value, interfaces);
                    break;
            }
        }

        foreach (int index in interfaces)
        {
            table.AddRoute(index, destination, length);
        }
    }

    private static void ReadNextHops(ReadOnlySpan<byte> hops, List<int> interfaces)
    {
        const int HopLength = 8;
        while (hops.Length >= HopLength)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(hops);
            interfaces.Add(BinaryPrimitives.ReadInt32LittleEndian(hops[4..]));
            if (length < HopLength || length > hops.Length)
            {
                return;
            }

            hops = hops[Math.Min(hops.Length, Aligned(length))..];
        }
    }
}

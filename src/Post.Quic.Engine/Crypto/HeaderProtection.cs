using System.Diagnostics;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// One header-protection key (RFC 9001 section 5.4): it hides the packet number and the low bits of the first byte under
/// a mask made from a sample of the ciphertext. Not thread-safe: a connection uses its keys under its own gate.
/// </summary>
internal abstract class HeaderProtection : IDisposable
{
    public const int SampleLength = 16;

    /// <summary>RFC 9001 section 5.4.2: the sample starts where a packet number of four bytes would end.</summary>
    public const int MaxPacketNumberLength = 4;

    private const byte LongHeaderForm = 0x80;
    private const byte LongHeaderMask = 0x0f;
    private const byte ShortHeaderMask = 0x1f;

    /// <summary>The mask: its byte for the packet's first byte lowest, then the four for the packet number.</summary>
    public abstract ulong Mask(ReadOnlySpan<byte> sample);

    /// <summary>Hides the header of a packet whose payload is already encrypted.</summary>
    public void Apply(Span<byte> packet, int packetNumberOffset, int packetNumberLength)
    {
        Debug.Assert(
            packet.Length >= packetNumberOffset + MaxPacketNumberLength + SampleLength,
            "RFC 9001 section 5.4.2: the builder pads until there is enough to sample.");
        ulong mask = Mask(packet.Slice(packetNumberOffset + MaxPacketNumberLength, SampleLength));
        packet[0] ^= (byte)(mask & FirstByteMask(packet[0]));
        XorPacketNumber(packet.Slice(packetNumberOffset, packetNumberLength), mask);
    }

    /// <summary>
    /// Shows the header of a received packet, in place. False: too short to be a packet (RFC 9001 section 5.4.2), nothing
    /// was changed. What it shows is not authentic before the payload has been opened.
    /// </summary>
    public bool TryRemove(
        Span<byte> packet, int packetNumberOffset, out int packetNumberLength, out uint truncatedPacketNumber)
    {
        if (packet.Length < packetNumberOffset + MaxPacketNumberLength + SampleLength)
        {
            packetNumberLength = 0;
            truncatedPacketNumber = 0;
            return false;
        }

        ulong mask = Mask(packet.Slice(packetNumberOffset + MaxPacketNumberLength, SampleLength));
        packet[0] ^= (byte)(mask & FirstByteMask(packet[0]));
        packetNumberLength = (packet[0] & 0x03) + 1;
        Span<byte> packetNumber = packet.Slice(packetNumberOffset, packetNumberLength);
        XorPacketNumber(packetNumber, mask);
        uint value = 0;
        foreach (byte part in packetNumber)
        {
            value = (value << 8) | part;
        }

        truncatedPacketNumber = value;
        return true;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);

    /// <summary>RFC 9001 section 5.4.1: four bits of a long header, five of a short one; the form bit itself is never hidden.</summary>
    private static byte FirstByteMask(byte firstByte) =>
        (firstByte & LongHeaderForm) != 0 ? LongHeaderMask : ShortHeaderMask;

    private static void XorPacketNumber(Span<byte> packetNumber, ulong mask)
    {
        for (int i = 0; i < packetNumber.Length; i++)
        {
            packetNumber[i] ^= (byte)(mask >> (8 * (i + 1)));
        }
    }
}

namespace Post.Quic.Engine.Wire.Packets;

/// <summary>Splits a datagram into the packets that were coalesced in it (RFC 9000 section 12.2).</summary>
internal ref struct DatagramReader
{
    private readonly ReadOnlySpan<byte> _datagram;
    private readonly int _localConnectionIdLength;
    private ReadOnlySpan<byte> _destination;
    private int _next;

    public DatagramReader(ReadOnlySpan<byte> datagram, int localConnectionIdLength)
    {
        _datagram = datagram;
        _localConnectionIdLength = localConnectionIdLength;
    }

    /// <summary>Where the packet last read begins.</summary>
    public int Offset { get; private set; }

    /// <summary>
    /// Goes to the next packet. What follows something that is no packet is dropped: junk behind the last packet is
    /// tolerated, and counts only for the size of the datagram.
    /// </summary>
    public bool TryReadNext(out PacketHeader header)
    {
        header = default;
        while (_next < _datagram.Length)
        {
            PacketParseResult result = PacketHeader.TryParse(_datagram[_next..], _localConnectionIdLength, out PacketHeader packet);
            if (result != PacketParseResult.Parsed)
            {
                break;
            }

            bool isFirst = _next == 0;
            Offset = _next;
            _next += packet.Length;
            if (isFirst)
            {
                _destination = packet.DestinationConnectionId;
                header = packet;
                return true;
            }

            // RFC 9000 section 12.2: packets for another connection id than the first's are ignored. Version
            // Negotiation and Retry are never coalesced.
            if (packet.IsProtected && packet.DestinationConnectionId.SequenceEqual(_destination))
            {
                header = packet;
                return true;
            }
        }

        _next = _datagram.Length;
        return false;
    }
}

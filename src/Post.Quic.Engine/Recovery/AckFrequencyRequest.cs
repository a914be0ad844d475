using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Asks the peer to acknowledge as often as the window needs (draft-ietf-quic-ack-frequency). Less often while it is large: each
/// acknowledgement costs both ends a packet, and a window of hundreds of packets needs no hundred of them in a round trip. With the
/// shortest delay while congestion has made it small: of a few packets, the one that waits for a second is a part of the window that
/// stands still.
/// </summary>
/// <remarks>
/// <para>Reordering stays what it was: a gap is acknowledged at once, so that losses are found as early as ever, and no delay is
/// asked for beyond what the peer announced, so that the probe timeout stays true.</para>
/// <para>Every second packet is the most that is asked for. The draft allows a threshold of 0 (section 4), but the field was a packet
/// tolerance in its early versions, where 0 is invalid: picoquic still closes the connection with FRAME_ENCODING_ERROR.</para>
/// </remarks>
internal sealed class AckFrequencyRequest
{
    // RFC 9000 section 13.2.2: what the peer does without being asked.
    private const int DefaultPackets = 2;
    private const int ReorderingThreshold = 1;

    // Acknowledgements in a window, and so in a round trip at least: slow start, HyStart's eight samples and the pacing of
    // what follows live on them.
    private const int AcksInWindow = 16;

    // For the last packets of what is sent, when no more come to complete the count.
    private const ulong DelaysInRoundTrip = 4;

    // Packets in a window that congestion has made small, and in one that no longer is: a sawtooth between them asks once.
    private const int SmallWindow = 16;
    private const int SmallWindowEnd = 2 * SmallWindow;

    private const ulong MicrosecondsPerMillisecond = 1000;

    private int _packets = DefaultPackets;
    private bool _small;
    private ulong _delay;
    private ulong _next;

    /// <summary>A frame waits for a packet that goes anyway.</summary>
    public bool HasDataToSend { get; private set; }

    /// <summary>The peer acknowledges less often than by itself: probes ask for an answer at once.</summary>
    public bool IsInForce => _packets > DefaultPackets;

    /// <summary>Recovery has learnt something of the network that is in use.</summary>
    /// <param name="transmission">Of that network.</param>
    /// <param name="peer">What the peer announced; without min_ack_delay it is asked nothing.</param>
    public void Update(Transmission transmission, TransportParameters peer)
    {
        if (peer.MinAckDelay is not { } least || !transmission.Rtt.HasSample)
        {
            return;
        }

        long window = transmission.Congestion.Window / transmission.Congestion.MaxDatagramSize;
        bool small = !transmission.Congestion.InSlowStart && window < (_small ? SmallWindowEnd : SmallWindow);
        int packets = small ? DefaultPackets : (int)Math.Clamp(window / AcksInWindow, DefaultPackets, Limits.PacketsPerAck);

        // Half as much or twice as much: a frame for every packet more would cost what it is to save.
        if (small == _small && packets > _packets / 2 && packets < _packets * 2)
        {
            return;
        }

        _packets = packets;
        _small = small;
        ulong delay = small ? least : (ulong)transmission.Rtt.Smoothed / DelaysInRoundTrip;
        _delay = Math.Clamp(delay, least, peer.MaxAckDelay * MicrosecondsPerMillisecond);
        HasDataToSend = true;
    }

    public void Write(ref WireWriter writer, SentFrameLog log)
    {
        var frame = new AckFrequencyFrame(_next, (ulong)_packets - 1, _delay, ReorderingThreshold);
        if (writer.Remaining < frame.Length)
        {
            return;
        }

        frame.Write(ref writer);
        log.Record(new SentFrame(SentFrameKind.AckFrequency, _next));
        _next++;
        HasDataToSend = false;
    }

    /// <summary>A frame was lost: what it asked for is asked again, unless a newer one did.</summary>
    public void OnLost(ulong sequence) => HasDataToSend |= sequence + 1 == _next;
}

using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Datagrams;

/// <summary>
/// Fills packets from streams and datagrams in their one order: control frames of streams first; then whoever has the
/// more urgent class, then the earlier deadline; between equals the datagram, since it cannot wait in parts.
/// </summary>
/// <remarks>
/// A datagram that is next but does not fit into the rest of a packet leaves that rest to streams and is the first of
/// the next packet: no byte is wasted, and it waits for one packet at most.
/// </remarks>
internal static class ApplicationData
{
    public static bool WriteFrames(
        StreamTable streams, DatagramQueue datagrams, ref WireWriter writer, SentFrameLog log, long now)
    {
        int start = writer.Position;
        streams.WriteControl(ref writer, log, now);
        while (writer.Remaining > 0 && datagrams.TryPeekUrgency(out SendUrgency datagram))
        {
            // Streams go on until the datagram's turn, and only where they are truly more urgent.
            if (streams.TryPeekUrgency(out SendUrgency stream) && stream < datagram)
            {
                if (!streams.WriteData(ref writer, log, JustBefore(datagram), now)
                    && streams.TryPeekUrgency(out stream) && stream < datagram)
                {
                    break;
                }

                continue;
            }

            if (!datagrams.WriteFrames(ref writer, log, stream, now))
            {
                break;
            }
        }

        if (writer.Remaining > 0)
        {
            streams.WriteData(ref writer, log, SendUrgency.Last, now);
        }

        return writer.Position > start;
    }

    /// <summary>At most so many bytes does the frame take that goes first.</summary>
    public static long FirstSize(StreamTable streams, DatagramQueue datagrams)
    {
        if (!streams.HasControlToSend
            && datagrams.TryPeekUrgency(out SendUrgency datagram)
            && !(streams.TryPeekUrgency(out SendUrgency stream) && stream < datagram))
        {
            return DatagramFrame.LengthOf(datagrams.FirstLength, withLength: true);
        }

        return streams.FirstSize;
    }

    // Class 0 without time left has nothing before it, and is never asked for: the comparison above is strict.
    private static SendUrgency JustBefore(SendUrgency urgency) =>
        urgency.Deadline > long.MinValue
            ? urgency with { Deadline = urgency.Deadline - 1 }
            : new SendUrgency(urgency.Class - 1, long.MaxValue);
}

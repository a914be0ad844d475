using Post.Sockets.Associations.Connections;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Streams;

/// <summary>Takes in a Post stream that the peer has opened.</summary>
internal static class StreamAcceptor
{
    /// <summary>Reads the header and hands the stream to the application; false when it does not belong to it.</summary>
    public static async ValueTask<bool> BeginAsync(Carrier carrier, TransportStream stream, ReadOnlyMemory<byte> bytes, bool isCompleted)
    {
        var core = carrier.Core!;
        StreamHeader header;
        var rest = bytes.ToArray();
        while (true)
        {
            var status = StreamHeader.TryParse(rest, out header, out var consumed);
            if (status == ParseStatus.NeedMore && isCompleted)
            {
                carrier.Violate(PostErrorCode.HeaderEncoding, "a stream ended within its header");
                return false;
            }

            if (status == ParseStatus.Invalid)
            {
                stream.StopReading((long)PostErrorCode.UnknownStreamType);
                stream.Reset((long)PostErrorCode.UnknownStreamType);
                return false;
            }

            if (status == ParseStatus.Done)
            {
                rest = rest[consumed..];
                break;
            }

            var more = new byte[ProtocolLimits.MaxStreamHeader];
            var result = await stream.ReadAsync(more, carrier.Over).ConfigureAwait(false);
            if (result.IsReset)
            {
                return false;
            }

            isCompleted = result.IsCompleted;
            rest = [.. rest, .. more.AsSpan(0, result.Count)];
        }

        if (!core.Options.AcceptStreams || !core.IsSending)
        {
            var why = core.Options.AcceptStreams ? PostErrorCode.GoingAway : PostErrorCode.StreamRefused;
            stream.StopReading((long)why);
            stream.Reset((long)why);
            return false;
        }

        var niceness = (int)Math.Min(header.Niceness, int.MaxValue);
        StreamSender sender;
        lock (core.Gate)
        {
            if (core.Carrier != carrier)
            {
                return false;
            }

            sender = new StreamSender(core, carrier, stream, niceness, null);
            carrier.AddStream(sender);
        }

        core.Delivery.OnStream(new PostStream(core, sender, niceness, rest, isCompleted));
        return true;
    }
}

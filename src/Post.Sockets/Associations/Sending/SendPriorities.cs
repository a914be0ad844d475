using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>The ranks of objects as the transport shall see them.</summary>
internal static class SendPriorities
{
    /// <summary>The rank of an object on a stream.</summary>
    public static TransportPriority OfStream(OutboundObject item) =>
        new(item.Entry.Class, item.Entry.Deadline, item.Entry.Deadline == TransportPriority.NoDeadline && item.IsLarge, item.Id);

    /// <summary>The rank of an object that leaves in one packet: without a deadline, it need not share.</summary>
    public static TransportPriority OfWhole(OutboundObject item) => new(item.Entry.Class, item.Entry.Deadline, false, item.Id);
}

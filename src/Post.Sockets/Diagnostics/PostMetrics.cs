using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Diagnostics;

/// <summary>Metrics: meter <c>Post.Sockets</c>. The names are part of the public contract and stand in docs/semantics.md.</summary>
internal sealed class PostMetrics
{
    public const string MeterName = "Post.Sockets";

    private static readonly ConditionalWeakTable<Meter, PostMetrics> Known = [];
    private static readonly PostMetrics Shared = new(new Meter(MeterName));

    private readonly Counter<long> _ended;
    private readonly Counter<long> _sentBytes;
    private readonly Counter<long> _received;
    private readonly Counter<long> _receivedBytes;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _lifetimeUsed;
    private readonly UpDownCounter<long> _associations;
    private readonly UpDownCounter<long> _pending;
    private readonly Counter<long> _interruptions;
    private readonly Counter<long> _resumptions;
    private readonly Counter<long> _violations;
    private readonly Counter<long> _pathChanges;
    private readonly Counter<long> _handlerFailures;

    private PostMetrics(Meter meter)
    {
        _ended = meter.CreateCounter<long>(
            "post.sockets.objects.ended", "{object}", "Sent objects that are complete, by post.outcome and post.reason.");
        _sentBytes = meter.CreateCounter<long>("post.sockets.sent", "By", "Payload bytes of acked objects.");
        _received = meter.CreateCounter<long>("post.sockets.objects.delivered", "{object}", "Objects handed to this application.");
        _receivedBytes = meter.CreateCounter<long>("post.sockets.received", "By", "Payload bytes handed to this application.");
        _duration = meter.CreateHistogram<double>(
            "post.sockets.object.duration", "s", "From Send to the receipt, by post.outcome.");
        _lifetimeUsed = meter.CreateHistogram<double>(
            "post.sockets.object.lifetime_used", "1", "Duration of acked objects as a share of their finite lifetime.");
        _associations = meter.CreateUpDownCounter<long>("post.sockets.associations", "{association}", "Associations alive.");
        _pending = meter.CreateUpDownCounter<long>(
            "post.sockets.objects.pending", "{object}", "Sent objects that are not complete: the depth of the queues.");
        _interruptions = meter.CreateCounter<long>(
            "post.sockets.interruptions", "{interruption}", "Connections lost that their associations outlive, by post.side.");
        _resumptions = meter.CreateCounter<long>(
            "post.sockets.resumptions", "{resumption}", "Associations that went on over another connection, by post.side.");
        _violations = meter.CreateCounter<long>("post.sockets.violations", "{violation}", "Rules broken by peers, by post.code.");
        _pathChanges = meter.CreateCounter<long>("post.sockets.path_changes", "{change}", "Changes of paths, by post.change.");
        _handlerFailures = meter.CreateCounter<long>(
            "post.sockets.handler_failures", "{failure}", "Exceptions that the application's handlers let out, by post.event.");
    }

    /// <summary>Instruments on the factory's meter, or on one of the process where there is no factory.</summary>
    public static PostMetrics Create(IMeterFactory? factory) =>
        factory is null
            ? Shared

            // A factory gives every caller the same meter. Instruments made twice on it would be reported twice.
            : Known.GetValue(factory.Create(new MeterOptions(MeterName)), static meter => new PostMetrics(meter));

    public void Sent() => _pending.Add(1);

    public void Ended(OutboundObject item, Receipt receipt)
    {
        PostActivity.EndSend(item, receipt);
        _pending.Add(-1);
        if (_ended.Enabled)
        {
            _ended.Add(
                1,
                new KeyValuePair<string, object?>("post.outcome", receipt.Outcome.ToString()),
                new KeyValuePair<string, object?>("post.reason", receipt.Reason.ToString()));
        }

        if (receipt.IsAcked)
        {
            _sentBytes.Add(item.BytesSent - item.Offset);
            if (item.Properties.Lifetime != Timeout.InfiniteTimeSpan)
            {
                _lifetimeUsed.Record(receipt.Elapsed / item.Properties.Lifetime);
            }
        }

        if (_duration.Enabled)
        {
            _duration.Record(receipt.Elapsed.TotalSeconds, new KeyValuePair<string, object?>("post.outcome", receipt.Outcome.ToString()));
        }
    }

    public void Received(InboundObject item)
    {
        _received.Add(1);
        _receivedBytes.Add(item.Came);
    }

    public void AssociationOpened(bool isInitiator) => _associations.Add(1, Side(isInitiator));

    public void AssociationClosed(bool isInitiator) => _associations.Add(-1, Side(isInitiator));

    public void Interrupted(bool isInitiator) => _interruptions.Add(1, Side(isInitiator));

    public void Resumed(bool isInitiator) => _resumptions.Add(1, Side(isInitiator));

    public void Violation(PostErrorCode code) =>
        _violations.Add(1, new KeyValuePair<string, object?>("post.code", code.ToString()));

    public void PathChanged(PostPathChange change) =>
        _pathChanges.Add(1, new KeyValuePair<string, object?>("post.change", change.ToString()));

    public void HandlerFailed(PostEvent cause) =>
        _handlerFailures.Add(1, new KeyValuePair<string, object?>("post.event", cause.GetType().Name));

    private static KeyValuePair<string, object?> Side(bool isInitiator) =>
        new("post.side", isInitiator ? "initiator" : "listener");
}

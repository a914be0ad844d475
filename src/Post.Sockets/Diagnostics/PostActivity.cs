using System.Diagnostics;
using Post.Sockets.Objects;

namespace Post.Sockets.Diagnostics;

/// <summary>
/// Tracing: source <c>Post.Sockets</c>, activities <c>post.associate</c>, <c>post.send</c> (from <c>Send</c> to the object's end) and
/// <c>post.receive</c> (around the handlers). Nothing is made while nobody listens.
/// </summary>
internal static class PostActivity
{
    public const string SourceName = "Post.Sockets";

    private static readonly ActivitySource Source = new(SourceName);

    public static Activity? StartAssociate(Remote remote, string transport)
    {
        var activity = Source.StartActivity("post.associate", ActivityKind.Client);
        activity?.SetTag("server.address", remote.Host);
        activity?.SetTag("server.port", remote.Port);
        activity?.SetTag("post.transport", transport);
        return activity;
    }

    public static void StartSend(OutboundObject item)
    {
        if (!Source.HasListeners())
        {
            return;
        }

        // It must not become the current activity of the caller, who goes on with other things.
        var current = Activity.Current;
        var activity = Source.StartActivity("post.send", ActivityKind.Producer);
        Activity.Current = current;
        if (activity is null)
        {
            return;
        }

        activity.SetTag("post.object.id", item.Id);
        activity.SetTag("post.niceness", item.Niceness);
        if (item.Properties.Lifetime != Timeout.InfiniteTimeSpan)
        {
            activity.SetTag("post.lifetime_ms", item.Properties.Lifetime.TotalMilliseconds);
        }

        item.Activity = activity;
        if (item.Receipt is { } receipt)
        {
            // It had its end before its activity.
            EndSend(item, receipt);
        }
    }

    public static void EndSend(OutboundObject item, Receipt receipt)
    {
        if (item.Activity is not { } activity)
        {
            return;
        }

        item.Activity = null;
        activity.SetTag("post.outcome", receipt.Outcome.ToString());
        activity.SetTag("post.reason", receipt.Reason.ToString());
        if (!receipt.IsAcked)
        {
            activity.SetStatus(ActivityStatusCode.Error, receipt.ToString());
        }

        activity.Dispose();
    }

    public static Activity? StartReceive(InboundObject item)
    {
        var activity = Source.StartActivity("post.receive", ActivityKind.Consumer);
        activity?.SetTag("post.object.id", item.Id);
        activity?.SetTag("post.niceness", item.Niceness);
        return activity;
    }

    public static void Fail(Activity? activity, Exception exception)
    {
        activity?.AddException(exception);
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
    }
}

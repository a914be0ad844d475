using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Associations;

[TestClass]
public sealed class TelemetryTests
{
    [TestMethod]
    public void Metrics_count_ends_bytes_and_queues()
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 5));
        using var meters = new Meters();
        using var listening = new MeterListener();
        var sums = new Dictionary<string, long>();
        var durations = new List<double>();
        listening.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meters.Made))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        listening.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var name = instrument.Name;
            foreach (var tag in tags)
            {
                name += $" {tag.Value}";
            }

            sums[name] = sums.GetValueOrDefault(name) + value;
        });
        listening.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            if (instrument.Name == "post.sockets.object.duration")
            {
                durations.Add(value);
            }
        });
        listening.Start();
        network.Run(async () =>
        {
            var factory = new AssociationFactory(network.CreateTransport(), meterFactory: meters);
            await using var listener = await factory.ListenAsync(Local.At(new DnsEndPoint("server", 1)));
            listener.Register<Accept>(accept => accept.Association.Register<Received>(_ => { }));
            var association = await factory.AssociateAsync(Local.Anonymous, Remote.Named("server", 1));
            await association.Send(new byte[100]).Completion;
            var canceled = association.Send(new byte[10_000_000]);
            canceled.Cancel();
            await canceled.Completion;
            Assert.AreEqual(0, sums["post.sockets.objects.pending"]);
            Assert.AreEqual(1, sums["post.sockets.associations initiator"]);
            await association.CloseAsync();
        });
        Assert.AreEqual(1, sums["post.sockets.objects.ended Acked Delivered"]);
        Assert.AreEqual(1, sums["post.sockets.objects.ended Canceled Canceled"]);
        Assert.AreEqual(100, sums["post.sockets.sent"]);
        Assert.AreEqual(100, sums["post.sockets.received"]);
        Assert.AreEqual(0, sums["post.sockets.associations initiator"]);
        Assert.HasCount(2, durations);
        Assert.IsTrue(durations[0] is > 0.009 and < 0.05, durations[0].ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [TestMethod]
    public void Instruments_are_made_once_for_all_factories_that_share_a_meter()
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 5));
        using var meters = new Meters();
        using var listening = new MeterListener();
        var names = new List<string>();
        listening.InstrumentPublished = (instrument, _) =>
        {
            if (ReferenceEquals(instrument.Meter, meters.Made))
            {
                names.Add(instrument.Name);
            }
        };
        listening.Start();

        _ = new AssociationFactory(network.CreateTransport(), meterFactory: meters);
        _ = new AssociationFactory(network.CreateTransport(), meterFactory: meters);

        Assert.IsNotEmpty(names);
        CollectionAssert.AllItemsAreUnique(names);
    }

    [TestMethod]
    public void Activities_span_the_life_of_an_object()
    {
        var done = new List<Activity>();
        var here = new ActivitySource("test");
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Post.Sockets" or "test",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (done)
                {
                    done.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        ActivityTraceId trace = default;
        new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
        {
            world.Server.Register<Received>(_ => { });
            using var activity = here.StartActivity("mine");
            trace = activity!.TraceId;
            var sent = world.Client.Send("x"u8, new() { Lifetime = TimeSpan.FromSeconds(2) });
            Assert.AreSame(activity, Activity.Current, "Send must not leave its own activity behind");
            await sent.Completion;
        });

        // Other tests run at the same time and have activities of their own.
        var mine = done.Single(activity => activity.OperationName == "post.send" && activity.TraceId == trace);
        Assert.AreEqual("Acked", mine.GetTagItem("post.outcome"));
        Assert.AreEqual(2000.0, mine.GetTagItem("post.lifetime_ms"));
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter? Made { get; private set; }

        public Meter Create(MeterOptions options) => Made ??= new Meter(options);

        public void Dispose() => Made?.Dispose();
    }
}

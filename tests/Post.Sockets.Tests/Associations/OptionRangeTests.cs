using System.Reflection;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

/// <summary>Every option has a range, and a value that is out of it is refused with a message that says what to set.</summary>
[TestClass]
public sealed class OptionRangeTests
{
    private static readonly object[] Owners =
    [
        new AssociationOptions(), new ListenerOptions(), new TransportOptions(), new ObjectProperties(), new StreamProperties(),
    ];

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Every_time_is_refused_beyond_a_day_and_below_a_millisecond()
    {
        var checkedOptions = 0;
        foreach (var (owner, option) in Options(typeof(TimeSpan)))
        {
            if (option.Name == nameof(ObjectProperties.Lifetime))
            {
                continue;
            }

            checkedOptions++;
            var takesZero = option.Name is nameof(AssociationOptions.ResumptionTimeout) or nameof(TransportOptions.KeepAliveInterval);
            foreach (var value in (TimeSpan[])[
                TimeSpan.MaxValue, TimeSpan.FromDays(60), TimeSpan.FromDays(1) + TimeSpan.FromTicks(1), Timeout.InfiniteTimeSpan, TimeSpan.FromTicks(-1), TimeSpan.MinValue])
            {
                Refuses(owner, option, value, "one day");
            }

            if (!takesZero)
            {
                Refuses(owner, option, TimeSpan.Zero, "one millisecond");
                Refuses(owner, option, TimeSpan.FromTicks(9999), "one millisecond");
            }

            Set(owner, option, TimeSpan.FromDays(1));
            Set(owner, option, takesZero ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1));
        }

        Assert.AreEqual(9, checkedOptions);
    }

    [TestMethod]
    public void Every_number_is_refused_below_its_least_and_beyond_its_most()
    {
        foreach (var (owner, option) in Options(typeof(int)).Concat(Options(typeof(long))))
        {
            Refuses(owner, option, Number(option, -1), "from");
            Refuses(owner, option, Number(option, option.PropertyType == typeof(int) ? int.MinValue : long.MinValue), "from");
        }

        foreach (var name in (string[])[nameof(AssociationOptions.MaxQueuedBytes), nameof(AssociationOptions.ReceiveBudget)])
        {
            var option = typeof(AssociationOptions).GetProperty(name)!;
            Refuses(Owners[0], option, long.MaxValue, $"{(1L << 62) - 1}");
            Set(Owners[0], option, (1L << 62) - 1);
        }

        Refuses(Owners[0], typeof(AssociationOptions).GetProperty(nameof(AssociationOptions.MaxQueuedObjects))!, (1 << 20) + 1, $"{1 << 20}");
        Refuses(Owners[0], typeof(AssociationOptions).GetProperty(nameof(AssociationOptions.MaxAntecedents))!, 257, "256");
        Refuses(Owners[4], typeof(StreamProperties).GetProperty(nameof(StreamProperties.Bandwidth))!, long.MaxValue, "1000000000000000");
        Refuses(Owners[4], typeof(StreamProperties).GetProperty(nameof(StreamProperties.Bandwidth))!, 999L, "1000");
    }

    [TestMethod]
    public void Every_enumeration_takes_its_named_values_only()
    {
        var checkedOptions = 0;
        foreach (var owner in Owners)
        {
            foreach (var option in owner.GetType().GetProperties().Where(static option => option.PropertyType.IsEnum))
            {
                checkedOptions++;
                Refuses(owner, option, Enum.ToObject(option.PropertyType, 77), Enum.GetNames(option.PropertyType)[0]);
            }
        }

        Assert.AreEqual(8, checkedOptions);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(-1)]
    [DataRow(65536)]
    [DataRow(int.MaxValue)]
    public void A_remote_needs_a_port_and_says_which(int port)
    {
        foreach (var make in (Func<Remote>[])[
            () => Remote.Named("host", port), () => new Remote { Host = "host", Port = port }, () => Remote.Named("host", 1) with { Port = port }])
        {
            var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(make);
            Assert.Contains($"Port is {port}; set it from 1 to 65535", error.Message);
        }
    }

    [TestMethod]
    public void The_longest_and_the_shortest_times_work() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        ClientOptions = Extreme(TimeSpan.FromDays(1)),
        ServerOptions = Extreme(TimeSpan.FromDays(1)),
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        (await world.Client.Send("x"u8, new() { Lifetime = TimeSpan.MaxValue, Niceness = int.MaxValue }).Completion).EnsureAcked();
        (await world.Client.Send(new byte[100_000], new() { Lifetime = TimeSpan.MaxValue }).Completion).EnsureAcked();
        await world.Client.CloseAsync();
        Assert.IsNull(world.Client.Error);
        Assert.IsNull(world.Server.Error);
    });

    private static AssociationOptions Extreme(TimeSpan time) => new()
    {
        AntecedentTimeout = time,
        DrainTimeout = time,
        HandshakeTimeout = time,
        IdleTimeout = time,
        KeepAliveInterval = time,
        ResumptionTimeout = time,
        MaxQueuedBytes = (1L << 62) - 1,
        ReceiveBudget = (1L << 62) - 1,
        MaxQueuedObjects = 1 << 20,
        MaxWholeObjectSize = int.MaxValue,
        MaxWaitingObjects = int.MaxValue,
        HandlerConcurrency = int.MaxValue,
    };

    private static IEnumerable<(object Owner, PropertyInfo Option)> Options(Type type) =>
        from owner in Owners
        from option in owner.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where option.CanWrite && (Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType) == type
        select (owner, option);

    private static object Number(PropertyInfo option, long value)
    {
        var type = Nullable.GetUnderlyingType(option.PropertyType) ?? option.PropertyType;
        return Convert.ChangeType(value, type, System.Globalization.CultureInfo.InvariantCulture);
    }

    // An init accessor is a setter for whoever goes by reflection.
    private static void Set(object owner, PropertyInfo option, object value) =>
        option.SetValue(Activator.CreateInstance(owner.GetType()), value);

    private static void Refuses(object owner, PropertyInfo option, object value, string says)
    {
        var which = $"{owner.GetType().Name}.{option.Name} = {value}";
        var thrown = Assert.ThrowsExactly<TargetInvocationException>(() => Set(owner, option, value), which).InnerException;
        var error = Assert.IsInstanceOfType<ArgumentOutOfRangeException>(thrown, which);
        Assert.AreEqual(option.Name, error.ParamName, which);
        Assert.Contains(option.Name, error.Message, which);
        Assert.Contains(says, error.Message, which);
    }
}

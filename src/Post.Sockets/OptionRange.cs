using System.Globalization;
using System.Runtime.CompilerServices;

namespace Post.Sockets;

/// <summary>The ranges of options, and what is said of a value that is out of them: which option, which value, what to set.</summary>
internal static class OptionRange
{
    /// <summary>The longest time of any option. The platform's timers count to 49 days; a longer time made the call that waits throw.</summary>
    public static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    private static readonly TimeSpan ShortestTime = TimeSpan.FromMilliseconds(1);

    /// <summary>A time from a millisecond to a day.</summary>
    public static TimeSpan Time(TimeSpan value, string what, [CallerMemberName] string name = "") => Time(value, ShortestTime, what, name);

    /// <summary>A time from <paramref name="least"/> to a day.</summary>
    public static TimeSpan Time(TimeSpan value, TimeSpan least, string what, [CallerMemberName] string name = "") =>
        value >= least && value <= LongestTime
            ? value
            : throw new ArgumentOutOfRangeException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name} is {(value == Timeout.InfiniteTimeSpan ? "infinite" : value)}; set it from {Text(least)} to one day: {what}."));

    /// <summary>A number in a range.</summary>
    public static long Number(long value, long least, long most, string what, [CallerMemberName] string name = "") =>
        value >= least && value <= most
            ? value
            : throw new ArgumentOutOfRangeException(
                name, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; set it from {least} to {most}: {what}."));

    /// <summary>A number in a range.</summary>
    public static int Number(int value, int least, int most, string what, [CallerMemberName] string name = "") =>
        (int)Number((long)value, least, most, what, name);

    /// <summary>A named value.</summary>
    public static TEnum Named<TEnum>(TEnum value, [CallerMemberName] string name = "")
        where TEnum : struct, Enum =>
        Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                name, $"{name} is {value}, which has no meaning; use one of {string.Join(", ", Enum.GetNames<TEnum>())}.");

    private static string Text(TimeSpan least) => least == TimeSpan.Zero ? "zero" : "one millisecond";
}

using System.CommandLine;
using System.Globalization;
using FileTransfer.Sources;

namespace FileTransfer.Commands;

/// <summary>What get and put have in common.</summary>
internal sealed class TransferOptions
{
    private readonly Option<string[]> _exclude = new("--exclude")
    {
        Description = "Leave out what has this name, with * and ?; with a slash in it, this path. May be given several times.",
    };

    private readonly Option<string?> _limit = new("--limit")
    {
        Description = "Move at most so many bytes a second: 500K, 10M, 1G.",
    };

    private readonly Option<bool> _checksum = new("--checksum", "-c")
    {
        Description = "Compare files by their contents, not by size and time.",
    };

    private readonly Option<bool> _dryRun = new("--dry-run", "-n")
    {
        Description = "Only say what would be transferred.",
    };

    public TransferOptions() => _limit.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<string?>() is { } text && !TryParseRate(text, out _))
        {
            result.AddError($"--limit takes a number of bytes a second such as 500K, 10M or 1G, not '{text}'.");
        }
    });

    public void AddTo(Command command)
    {
        command.Add(_exclude);
        command.Add(_limit);
        command.Add(_checksum);
        command.Add(_dryRun);
    }

    public Exclusions Exclusions(ParseResult parsed) => Sources.Exclusions.Of(parsed.GetValue(_exclude));

    /// <summary>Bytes a second; 0: no limit.</summary>
    public long Limit(ParseResult parsed) => parsed.GetValue(_limit) is { } text && TryParseRate(text, out var rate) ? rate : 0;

    public bool Checksum(ParseResult parsed) => parsed.GetValue(_checksum);

    public bool IsDryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    private static bool TryParseRate(string text, out long rate)
    {
        var digits = text.TrimEnd('B', 'b', 'i');
        var unit = digits.Length == 0 ? 1 : char.ToUpperInvariant(digits[^1]) switch { 'K' => 1L << 10, 'M' => 1L << 20, 'G' => 1L << 30, _ => 1 };
        var number = unit == 1 ? digits : digits[..^1];
        var isNumber = double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        rate = isNumber ? (long)Math.Min(value * unit, long.MaxValue / 2) : 0;
        return isNumber && rate > 0;
    }
}
